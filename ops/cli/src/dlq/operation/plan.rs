//! The plan of a replay: how many dead letters, of which groups, and their forecasts.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::json;
use sluice_core::disposition::Class;
use sluice_rabbit::dead_letters::DeadLetterSummary;

use super::forecast::Forecast;
use crate::visible::cut;
use sluice_runtime::output::json_line;
use sluice_runtime::table::{lines, right, table};

/// The most different refusals that the text names.
const REFUSALS: usize = 5;
/// The most groups, and the most refusals, that are counted separately.
const KINDS: usize = 1000;
/// The name for all others.
const OTHERS: &str = "others";

/// A plan.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// How many.
    pub(crate) dead_letters: usize,
    /// By their fingerprints.
    groups: BTreeMap<String, Group>,
    /// How many have each forecast.
    pub(crate) forecast: BTreeMap<&'static str, u32>,
    /// How many would be recorded with each verdict.
    pub(crate) verdicts: BTreeMap<String, u32>,
    /// How many would be refused again, by code and message.
    refusals: BTreeMap<(String, String), u32>,
}

/// Dead letters with the same failure.
#[derive(Debug, Serialize)]
pub(crate) struct Group {
    /// How many.
    pub(crate) count: u32,
    /// Why they were dead-lettered.
    pub(crate) class: Class,
    /// The failure's code.
    pub(crate) code: String,
    /// The message of the first of them.
    pub(crate) message: String,
    fingerprint: String,
    /// How many have each forecast.
    pub(crate) forecast: BTreeMap<&'static str, u32>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Refusal<'a> {
    /// How many.
    pub(crate) count: u32,
    /// The code of the refusal.
    pub(crate) code: &'a str,
    /// What it says.
    pub(crate) message: &'a str,
}

impl Plan {
    /// One more dead letter, and its forecast.
    pub(crate) fn add(&mut self, dead_letter: &DeadLetterSummary, forecast: &Forecast) {
        self.dead_letters += 1;
        let known = self.groups.len() < KINDS || self.groups.contains_key(&dead_letter.fingerprint);
        let key = if known { dead_letter.fingerprint.clone() } else { String::new() };
        let group = self.groups.entry(key).or_insert_with_key(|key| Group {
            count: 0,
            class: dead_letter.class,
            code: if known { dead_letter.code.clone() } else { OTHERS.to_owned() },
            message: if known { dead_letter.message.clone() } else { String::new() },
            fingerprint: key.clone(),
            forecast: BTreeMap::new(),
        });
        group.count += 1;
        *group.forecast.entry(forecast.name()).or_insert(0) += 1;
        *self.forecast.entry(forecast.name()).or_insert(0) += 1;
        match forecast {
            Forecast::Recorded(verdict) => *self.verdicts.entry(verdict.to_string()).or_insert(0) += 1,
            Forecast::Refused(code, message) => {
                let key = (code.clone(), message.clone());
                let known = self.refusals.len() < KINDS || self.refusals.contains_key(&key);
                *self.refusals.entry(if known { key } else { (OTHERS.to_owned(), String::new()) }).or_insert(0) += 1;
            }
            Forecast::AlreadyRecorded | Forecast::Left(_) | Forecast::NotKnown => {}
        }
    }

    /// Their groups, the largest first.
    pub(crate) fn groups(&self) -> Vec<&Group> {
        let mut groups: Vec<&Group> = self.groups.values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        groups
    }

    /// What would be refused again, the most frequent first.
    pub(crate) fn refusals(&self) -> Vec<Refusal<'_>> {
        let mut refusals = Vec::with_capacity(self.refusals.len());
        for ((code, message), count) in &self.refusals {
            refusals.push(Refusal { count: *count, code, message });
        }
        refusals.sort_by_key(|refusal| std::cmp::Reverse(refusal.count));
        refusals
    }

    /// One object.
    pub(crate) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { dead_letters, forecast, verdicts, .. } = self;
        let (groups, refusals) = (self.groups(), self.refusals());
        json_line(
            out,
            &json!({ "dead_letters": dead_letters, "groups": groups, "forecast": forecast, "verdicts": verdicts, "refusals": refusals }),
        )
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut groups = table(&["COUNT", "CLASS", "CODE", "FORECAST", "MESSAGE"]);
        right(&mut groups, &[0]);
        for Group { count, class, code, message, forecast, .. } in self.groups() {
            let row = [count.to_string(), class.to_string(), cut(code, 40), counted(forecast), cut(message, 80)];
            groups.add_row(row);
        }
        let mut text = format!("{}\n{}: {}\n", lines(groups), dead_letters(self.dead_letters), counted(&self.forecast));
        if !self.verdicts.is_empty() {
            text.push_str(&format!("verdicts by the current rules: {}\n", counted(&self.verdicts)));
        }
        let refusals = self.refusals();
        for Refusal { count, code, message } in refusals.iter().take(REFUSALS) {
            text.push_str(&format!("would be refused again: {count} {}: {}\n", cut(code, 40), cut(message, 120)));
        }
        if refusals.len() > REFUSALS {
            text.push_str(&format!("… and {} other refusals\n", refusals.len() - REFUSALS));
        }
        text
    }
}

fn dead_letters(count: usize) -> String {
    if count == 1 { "1 dead letter".to_owned() } else { format!("{count} dead letters") }
}

/// `3 would be recorded, 1 already recorded`
pub(crate) fn counted(counts: &BTreeMap<impl AsRef<str>, u32>) -> String {
    let words: Vec<String> =
        counts.iter().map(|(name, count)| format!("{count} {}", name.as_ref().replace('_', " "))).collect();
    words.join(", ")
}
