//! The page of one case, for people: as wide as the terminal, or whole into a pipe.

use std::fmt::Write as _;

use sluice_core::verdict::Reason;
use time::OffsetDateTime;

use crate::columns::{Column, room, table};
use crate::review::case::about::About;
use crate::times::{shown, span};
use crate::underline::underlined;
use crate::visible::{block, cut, line};

/// The column at which values begin.
const LABEL: usize = 14;
/// The narrowest text, in columns.
const NARROW: usize = 20;

const SCORES: [Column; 4] =
    [Column::text("CATEGORY", 8), Column::number("SUM"), Column::number("HOLDS AT"), Column::number("REJECTS AT")];
const REASONS: [Column; 5] = [
    Column::text("RULE", 8),
    Column::text("FIELD", 5).goes(2),
    Column::text("TEXT", 8),
    Column::text("READ AS", 8).goes(1),
    Column::text("DISGUISES", 8).goes(3),
];
const DECISIONS: [Column; 7] = [
    Column::number("REVISION"),
    Column::whole("VERDICT"),
    Column::whole("CAUSE").goes(2),
    Column::text("BY", 8),
    Column::whole("AT").goes(1),
    Column::text("POLICIES", 8).goes(3),
    Column::whole("DECISION"),
];
const OPINIONS: [Column; 6] = [
    Column::whole("VERDICT"),
    Column::whole("SAYS"),
    Column::text("BY", 8),
    Column::whole("AT").goes(1),
    Column::text("POLICIES", 8).goes(2),
    Column::whole("ON DECISION").goes(3),
];
const EARLIER: [Column; 4] =
    [Column::whole("CASE"), Column::whole("STANDING"), Column::whole("OPENED").goes(1), Column::text("TITLE", 10)];
const DELIVERIES: [Column; 5] = [
    Column::text("ENDPOINT", 8),
    Column::number("SEQ"),
    Column::number("ATTEMPTS"),
    Column::whole("DELIVERED"),
    Column::text("LAST ERROR", 10),
];

/// A page as it is written.
struct Page {
    text: String,
    room: Option<usize>,
}

/// The whole page.
pub(in crate::review) fn page(about: &About, now: OffsetDateTime) -> String {
    let mut page = Page { text: String::new(), room: room(&std::io::stdout()) };
    page.head(about, now);
    page.post(about);
    page.decided(about);
    page.around(about);
    page.text
}

impl Page {
    fn head(&mut self, about: &About, now: OffsetDateTime) {
        let case = &about.case;
        self.row("case", &case.case.to_string());
        self.row("post", &case.post.to_string());
        self.row("asked", &about.question());
        if let Some(reason) = &case.reason {
            self.row("appeal", reason);
        }
        if let Some(name) = case.not_by.as_ref().filter(|_| !case.as_it_stands().is_blind()) {
            self.row("not by", name);
        }
        if about.blind {
            self.row("decisions", "not shown while a blind second review of the post is open");
        }
        let state = match (&case.claimed_by, case.claimed_until) {
            (Some(by), until) => format!("claimed by {by} until {}", shown(until)),
            (None, _) => match case.closed_at {
                Some(at) => format!("{} at {}", case.state, shown(Some(at))),
                None => case.state.to_owned(),
            },
        };
        self.row("state", &state);
        if let Some(token) = about.claim {
            self.row("claim", &token.to_string());
        }
        self.row("queue", &format!("{}, priority {}", case.queue, case.priority));
        self.row("opened", &format!("{} ({} ago)", shown(Some(case.opened_at)), span(now - case.opened_at)));
        self.row("author", case.author.as_deref().unwrap_or("-"));
        if let Some(submitted) = about.submitted_at {
            self.row("submitted", &shown(Some(submitted)));
        }
        let verdict = match (&about.verdict, &about.ruleset) {
            (Some(verdict), Some(rules)) => format!("{verdict} by the rules {rules}"),
            _ => "the post's row is gone".to_owned(),
        };
        self.row("verdict", &verdict);
        if let Some(forgotten) = &about.forgotten {
            let reason = forgotten.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            self.row("erased", &format!("{} by {}{reason}", shown(Some(forgotten.at)), forgotten.by));
        }
    }

    fn post(&mut self, about: &About) {
        let sums = about.scores.iter().map(|score| {
            let at = |threshold: Option<u32>| threshold.map_or_else(|| "-".to_owned(), |at| at.to_string());
            vec![cut(&score.category, 100), score.sum.to_string(), at(score.hold), at(score.reject)]
        });
        self.table(None, &SCORES, sums.collect());
        let reasons = about.reasons.iter().map(|Reason { rule, field, text, matched, steps, .. }| {
            [rule.as_str(), field, text, matched, &steps.join(", ")].map(|cell| cut(cell, 200)).to_vec()
        });
        self.table(None, &REASONS, reasons.collect());
        self.part("title", about.case.title.as_deref(), &about.reasons);
        self.part("content", about.content.as_deref(), &about.reasons);
    }

    /// A field of the post, whole; below it, where in it the rules found something.
    fn part(&mut self, field: &str, text: Option<&str>, reasons: &[Reason]) {
        let Some(text) = text else { return };
        let _ = writeln!(self.text, "\n{field}");
        self.indented(text);
        let spans: Vec<_> = reasons.iter().filter(|reason| reason.field == field).map(|one| (one.span, true)).collect();
        let marked = underlined(text, &spans);
        if !marked.is_empty() {
            let _ = write!(self.text, "found in it, by line\n{marked}");
        }
    }

    fn decided(&mut self, about: &About) {
        let decided = about.decisions.iter().map(|one| {
            vec![
                one.revision.to_string(),
                one.verdict.to_string(),
                one.cause.to_string(),
                line(&one.decided_by),
                shown(Some(one.decided_at)),
                cut(&one.policies.join(", "), 200),
                one.decision.to_string(),
            ]
        });
        self.table(Some("decisions"), &DECISIONS, decided.collect());
        for one in &about.decisions {
            for (name, text) in [("to the author", &one.message), ("to the team", &one.note)] {
                if let Some(text) = text {
                    let _ = writeln!(self.text, "{name}, with revision {}", one.revision);
                    self.indented(text);
                }
            }
        }
        let opinions = about.opinions.iter().map(|one| {
            let says = if one.agrees { "agrees" } else { "differs" };
            let (by, at, policies) = (line(&one.given_by), shown(Some(one.given_at)), one.policies.join(", "));
            vec![one.verdict.to_string(), says.to_owned(), by, at, cut(&policies, 200), one.of_decision.to_string()]
        });
        self.table(Some("second opinions"), &OPINIONS, opinions.collect());
        for one in &about.opinions {
            if let Some(note) = &one.note {
                let _ = writeln!(self.text, "to the team, by {}", line(&one.given_by));
                self.indented(note);
            }
        }
        let sent = about.deliveries.iter().map(|sent| {
            let delivered = sent.delivered_at.map_or_else(|| "not yet".to_owned(), |at| shown(Some(at)));
            let error = sent.error.as_deref().map_or_else(|| "-".to_owned(), |error| cut(error, 200));
            vec![line(&sent.endpoint), sent.seq.to_string(), sent.attempts.to_string(), delivered, error]
        });
        self.table(Some("deliveries"), &DELIVERIES, sent.collect());
    }

    fn around(&mut self, about: &About) {
        if !about.notes.is_empty() {
            self.text.push_str("\nnotes\n");
        }
        for note in &about.notes {
            let _ = writeln!(self.text, "{} {}", shown(Some(note.at)), line(&note.by));
            self.indented(&note.text);
        }
        let earlier = about.earlier.iter().map(|earlier| {
            let standing = earlier.standing.map_or_else(|| "-".to_owned(), |standing| standing.to_string());
            let title = earlier.title.as_deref().map_or_else(|| "-".to_owned(), |title| cut(title, 120));
            vec![earlier.case.to_string(), standing, shown(Some(earlier.opened_at)), title]
        });
        self.table(Some("other cases of the author, the latest first"), &EARLIER, earlier.collect());
        let case = about.case.case;
        match about.same_text {
            0 => {}
            1 => _ = writeln!(self.text, "\n1 other open case has the same text: `sluice review bulk {case}`"),
            many => {
                _ = writeln!(self.text, "\n{many} other open cases have the same text: `sluice review bulk {case}`")
            }
        }
    }

    /// A fact on one line, or on several where the terminal is narrower; without hidden characters.
    fn row(&mut self, name: &str, value: &str) {
        let value = line(value);
        let width = self.room.map(|room| room.saturating_sub(LABEL).max(NARROW));
        let lines = width.map_or_else(|| vec![value.clone()], |width| wrapped(&value, width));
        for (number, line) in lines.iter().enumerate() {
            let name = if number == 0 { name } else { "" };
            let _ = writeln!(self.text, "{name:<LABEL$}{line}");
        }
    }

    /// A text on lines of its own that begin with two spaces: no text of a stranger looks like a line of ours.
    fn indented(&mut self, text: &str) {
        let width = self.room.map(|room| room.saturating_sub(2).max(NARROW));
        for line in block(text).lines() {
            for line in width.map_or_else(|| vec![line.to_owned()], |width| wrapped(line, width)) {
                let _ = writeln!(self.text, "{}", format!("  {line}").trim_end());
            }
        }
    }

    fn table(&mut self, heading: Option<&str>, columns: &[Column], rows: Vec<Vec<String>>) {
        if rows.is_empty() {
            return;
        }
        let heading = heading.map(|heading| format!("{heading}\n")).unwrap_or_default();
        let _ = write!(self.text, "\n{heading}{}", table(columns, &rows, self.room));
    }
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    textwrap::wrap(text, width).into_iter().map(String::from).collect()
}
