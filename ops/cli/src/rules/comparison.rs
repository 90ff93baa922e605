//! Where two sets of rules differ on the texts of one file, beside what people decided.

use std::fmt::Write as _;

use serde::Serialize;
use sluice_core::post::PostId;
use sluice_core::verdict::Verdict;

use super::row::{Expect, Row};
use crate::visible::line;
use sluice_runtime::table::{lines, right, table};

/// How two sets of rules differ on one file.
#[derive(Debug, Serialize)]
pub(super) struct Comparison<'a> {
    file: &'a str,
    /// The rules in force.
    ruleset: &'a str,
    /// The changed ones.
    candidate: &'a str,
    tests: usize,
    rows: usize,
    changed: usize,
    turned: usize,
    changes: Vec<Change>,
    posts: Vec<Changed>,
}

/// How many texts get one verdict now and would get another one.
#[derive(Debug, Serialize)]
struct Change {
    now: Verdict,
    then: Verdict,
    people_approved: usize,
    people_rejected: usize,
}

/// One of them.
#[derive(Debug, Serialize)]
struct Changed {
    line: usize,
    post: Option<PostId>,
    people: Verdict,
    now: Verdict,
    then: Verdict,
    /// Whether the candidate alone would do what people decided against.
    turned: bool,
    #[serde(skip)]
    text: String,
}

impl<'a> Comparison<'a> {
    /// Of no rows yet, by the rules in force and the candidate, which carries so many tests.
    pub(super) fn new(file: &'a str, [ruleset, candidate]: [&'a str; 2], tests: usize) -> Self {
        Self { file, ruleset, candidate, tests, rows: 0, changed: 0, turned: 0, changes: Vec::new(), posts: Vec::new() }
    }

    /// One more row, and what both say of it. No more than `listed` rows that are turned are kept, and as many others;
    /// where all of them are wanted, they are kept without their texts.
    pub(super) fn count(&mut self, line: usize, row: &Row, [now, then]: [Verdict; 2], listed: Option<usize>) {
        self.rows += 1;
        if now == then {
            return;
        }
        let people = match row.expect {
            Expect::Flag => Verdict::Rejected,
            Expect::Clean => Verdict::Approved,
        };
        let turned = then != Verdict::Held && then != people;
        let before = if turned { self.turned } else { self.changed - self.turned };
        if listed.is_none_or(|listed| before < listed) {
            let text = listed.map(|_| row.excerpt()).unwrap_or_default();
            self.posts.push(Changed { line, post: row.post, people, now, then, turned, text });
        }
        self.changed += 1;
        self.turned += usize::from(turned);
        let found = self.changes.binary_search_by_key(&(now, then), |change| (change.now, change.then));
        let place = found.unwrap_or_else(|place| {
            self.changes.insert(place, Change { now, then, people_approved: 0, people_rejected: 0 });
            place
        });
        self.changes[place].people_approved += usize::from(people == Verdict::Approved);
        self.changes[place].people_rejected += usize::from(people == Verdict::Rejected);
    }

    /// The page for people.
    pub(super) fn page(&self, shown: usize) -> String {
        let Self { file, ruleset, candidate, tests, rows, changed, turned, .. } = self;
        let mut page = format!(
            "{}: {rows} rows by the rules {ruleset} and by the candidate {candidate}; tests of its own that pass: {tests}\n\
             rows with another verdict: {changed}; decisions that are turned: {turned}\n",
            line(file)
        );
        if *changed > 0 {
            let mut table = table(&["now", "candidate", "people approved", "people rejected"]);
            for Change { now, then, people_approved, people_rejected } in &self.changes {
                let cells =
                    [now.to_string(), then.to_string(), people_approved.to_string(), people_rejected.to_string()];
                table.add_row(cells);
            }
            right(&mut table, &[2, 3]);
            let _ = write!(page, "\n{}", lines(table));
        }
        let lists = [("turned: people decided otherwise", true, *turned), ("others", false, changed - turned)];
        for (heading, is_turned, all) in lists {
            if all == 0 || shown == 0 {
                continue;
            }
            let _ = writeln!(page, "\n{heading}");
            for post in self.posts.iter().filter(|post| post.turned == is_turned) {
                let _ = writeln!(page, "{}", told(file, post));
            }
            if all > shown {
                let _ = writeln!(page, "and {} more: --shown {all} shows all", all - shown);
            }
        }
        page.push_str("\nNo file and no decision was changed.\n");
        page
    }
}

/// One post on one line.
fn told(file: &str, post: &Changed) -> String {
    let Changed { line: number, people, now, then, text, .. } = post;
    let id = post.post.map(|id| format!("{id}: ")).unwrap_or_default();
    format!("{}:{number}: {id}{then} instead of {now}; people {people} it: {text}", line(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Approved, Held, Rejected};

    #[test]
    fn a_decision_is_turned_only_where_the_rules_alone_would_do_the_opposite() {
        let row = |expect: &str| serde_json::from_value(serde_json::json!({"text": "t", "expect": expect}));
        for (expect, now, then, turned) in [
            ("flag", Held, Approved, 1),
            ("flag", Held, Rejected, 0),
            ("clean", Held, Approved, 0),
            ("clean", Held, Rejected, 1),
            ("clean", Approved, Held, 0),
            ("flag", Rejected, Held, 0),
        ] {
            let mut comparison = Comparison::new("f", ["a", "b"], 0);
            comparison.count(1, &row(expect).expect("a row"), [now, then], Some(0));
            let (found, listed) = (comparison.turned, comparison.posts.len());
            assert_eq!((found, listed), (turned, 0), "{expect}: {now} to {then}");
        }
    }
}
