//! The plan of a replay: how many letters, of which groups, and what would become of them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use common::delivery::LetterSummary;
use common::disposition::Class;
use serde::Serialize;

use super::outlook::Outlook;
use crate::output::json_line;
use crate::table::{lines, right, table};
use crate::visible::cut;

/// The most different refusals that the text names.
const REFUSALS: usize = 5;

/// A plan.
#[derive(Debug, Serialize)]
pub(super) struct Plan {
    letters: usize,
    groups: Vec<Group>,
    /// How many have each outlook.
    outlook: BTreeMap<&'static str, u32>,
    /// How many would be recorded with each verdict.
    verdicts: BTreeMap<String, u32>,
    /// How many would be refused again, by code and message.
    refusals: Vec<Refusal>,
}

/// Letters that died of the same failure.
#[derive(Debug, Serialize)]
struct Group {
    count: u32,
    class: Class,
    code: String,
    message: String,
    fingerprint: String,
    outlook: BTreeMap<&'static str, u32>,
}

#[derive(Debug, Serialize)]
struct Refusal {
    count: u32,
    code: String,
    message: String,
}

impl Plan {
    /// The plan for these letters and their outlooks.
    pub(super) fn new(letters: &[LetterSummary], outlooks: &[Outlook]) -> Self {
        let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
        let mut refusals: BTreeMap<(&str, &str), u32> = BTreeMap::new();
        let (mut all, mut verdicts) = (BTreeMap::new(), BTreeMap::new());
        for (letter, outlook) in letters.iter().zip(outlooks) {
            let group = groups.entry(&letter.fingerprint).or_insert_with(|| Group {
                count: 0,
                class: letter.class,
                code: letter.code.clone(),
                message: letter.message.clone(),
                fingerprint: letter.fingerprint.clone(),
                outlook: BTreeMap::new(),
            });
            group.count += 1;
            *group.outlook.entry(outlook.name()).or_insert(0) += 1;
            *all.entry(outlook.name()).or_insert(0) += 1;
            match outlook {
                Outlook::Recorded(verdict) => *verdicts.entry(verdict.to_string()).or_insert(0) += 1,
                Outlook::Refused(code, message) => *refusals.entry((code, message)).or_insert(0) += 1,
                Outlook::AlreadyRecorded | Outlook::Left(_) | Outlook::NotKnown => {}
            }
        }
        let mut groups: Vec<Group> = groups.into_values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        let refusal = |((code, message), count): ((&str, &str), u32)| Refusal {
            count,
            code: code.to_owned(),
            message: message.to_owned(),
        };
        let mut refusals: Vec<Refusal> = refusals.into_iter().map(refusal).collect();
        refusals.sort_by_key(|refusal| std::cmp::Reverse(refusal.count));
        Self { letters: letters.len(), groups, outlook: all, verdicts, refusals }
    }

    /// One object.
    pub(super) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        json_line(out, self)
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut groups = table(&["COUNT", "CLASS", "CODE", "OUTLOOK", "MESSAGE"]);
        right(&mut groups, &[0]);
        for Group { count, class, code, message, outlook, .. } in &self.groups {
            let row = [count.to_string(), class.to_string(), cut(code, 40), counted(outlook), cut(message, 80)];
            groups.add_row(row);
        }
        let mut text = format!("{}\n{}: {}\n", lines(groups), letters(self.letters), counted(&self.outlook));
        if !self.verdicts.is_empty() {
            text.push_str(&format!("verdicts by today's rules: {}\n", counted(&self.verdicts)));
        }
        for Refusal { count, code, message } in self.refusals.iter().take(REFUSALS) {
            text.push_str(&format!("would be refused again: {count} {}: {}\n", cut(code, 40), cut(message, 120)));
        }
        if self.refusals.len() > REFUSALS {
            text.push_str(&format!("… and {} other refusals\n", self.refusals.len() - REFUSALS));
        }
        text
    }
}

fn letters(count: usize) -> String {
    if count == 1 { "1 letter".to_owned() } else { format!("{count} letters") }
}

fn counted(counts: &BTreeMap<impl AsRef<str>, u32>) -> String {
    let words: Vec<String> =
        counts.iter().map(|(name, count)| format!("{count} {}", name.as_ref().replace('_', " "))).collect();
    words.join(", ")
}
