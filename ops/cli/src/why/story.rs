//! What happened to a post, in order.

use std::collections::HashSet;

use sluice_core::dead_letter::Death;
use sluice_core::name::SenderName;
use sluice_core::verdict::{Reason, Score};
use sluice_mysql::{AuditEntry, StoredPost};
use sluice_rabbit::dead_letters::DeadLetterSummary;

use super::event::Event;
use super::known::Known;
use crate::operation;

/// What happened, the oldest first; events without a time come last.
pub(super) fn events(known: &Known) -> Vec<Event> {
    let mut events: Vec<Event> = known.row.iter().flat_map(of_row).collect();
    if known.row.is_none() {
        events.extend(submitted(known));
    }
    events.extend(deaths(known).iter().flat_map(of_death));
    events.extend(known.operations.iter().map(of_operation));
    events.extend(known.reviewed.events());
    events.extend(known.pruned.iter().map(|pruned| Event {
        at: Some(pruned.at),
        what: "pruned",
        detail: format!("its row was old and was deleted, by {}, prune {}", pruned.by, pruned.prune),
    }));
    events.sort_by_key(|event| (event.at.is_none(), event.at));
    events
}

fn of_row(row: &StoredPost) -> [Event; 2] {
    let whose = whose(row.author.as_deref(), row.sender.as_deref());
    let stored = match row.attempts {
        0 | 1 => String::new(),
        attempts => format!(", at attempt {attempts}"),
    };
    let because = because(row);
    let told = format!("{} by the rules {}{because}, stored by {}{stored}", row.verdict, row.ruleset, row.worker);
    [
        Event { at: Some(row.submitted_at), what: "submitted", detail: format!("\"{}\"{whose}", row.title) },
        Event { at: Some(row.recorded_at), what: "recorded", detail: told },
    ]
}

/// The reasons for the verdict: the sum of each category, then each rule with its match.
fn because(row: &StoredPost) -> String {
    let read = |json: &str| serde_json::from_str::<Vec<Score>>(json).unwrap_or_default();
    let scores = row.scores.as_deref().map(read).unwrap_or_default();
    let reasons: Vec<Reason> = serde_json::from_str(&row.reasons).unwrap_or_default();
    let sums = scores.iter().map(|score| format!("{} {}", score.category, score.sum));
    let found = reasons.iter().map(|Reason { rule, field, text, matched, steps, .. }| {
        let taken = if matched.is_empty() || matched == text { String::new() } else { format!(" as {matched:?}") };
        let taken_off = if steps.is_empty() { String::new() } else { format!(", {}", steps.join(", ")) };
        format!("{rule}: {text:?}{taken} in the {field}{taken_off}")
    });
    let told: Vec<String> = sums.chain(found).collect();
    if told.is_empty() { String::new() } else { format!(" ({})", told.join("; ")) }
}

/// When it was submitted, according to a dead letter or the audit log.
fn submitted(known: &Known) -> Option<Event> {
    let dead_letter =
        known.dead_letters.iter().find_map(|dead_letter| dead_letter.submitted_at.map(|at| (at, of_whom(dead_letter))));
    let noted = || known.operations.iter().find_map(|operation| operation.death.as_ref()?.submitted_at);
    let (at, detail) = dead_letter.or_else(|| noted().map(|at| (at, "according to a dead letter".to_owned())))?;
    Some(Event { at: Some(at), what: "submitted", detail })
}

fn of_whom(dead_letter: &DeadLetterSummary) -> String {
    let sender = dead_letter.sender.as_ref().map(SenderName::as_str);
    dead_letter.title.as_ref().map_or_else(|| "without a title".to_owned(), |title| format!("\"{title}\""))
        + &whose(dead_letter.author.as_deref(), sender)
}

/// Who wrote a post, and which sender it came from, as far as that is known.
fn whose(author: Option<&str>, sender: Option<&str>) -> String {
    let author = author.map(|author| format!(" by {author}")).unwrap_or_default();
    let sender = sender.map(|sender| format!(", sent by {sender}")).unwrap_or_default();
    author + &sender
}

/// Each failure once: those of the current dead letters, then those that operations recorded. Several operations may
/// have recorded the same one.
fn deaths(known: &Known) -> Vec<Death> {
    let mut seen = HashSet::new();
    let there = known.dead_letters.iter().map(DeadLetterSummary::death);
    let noted = known.operations.iter().filter_map(|operation| operation.death.clone());
    let mut deaths: Vec<Death> = there.chain(noted).collect();
    // For destroyed dead letters, the message is not recorded.
    deaths.sort_by_key(|death| death.message.is_empty());
    deaths.retain(|death| seen.insert((death.last_failed_at, death.class, death.code.clone(), death.worker.clone())));
    deaths
}

fn of_death(death: &Death) -> Vec<Event> {
    let Death { class, code, message, attempts, worker, .. } = death;
    let mut events = Vec::new();
    if *attempts > 1 {
        let detail = format!("the first of {attempts} attempts");
        events.push(Event { at: death.first_failed_at, what: "failed", detail });
    }
    let tries = if *attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") };
    let what_happened = if message.is_empty() { String::new() } else { format!(": {message}") };
    let detail = format!("{class} {code} after {tries}, by {worker}{what_happened}");
    events.push(Event { at: death.last_failed_at, what: "dead-lettered", detail });
    events
}

fn of_operation(operation: &AuditEntry) -> Event {
    let (what, detail) = operation::told(operation);
    Event { at: Some(operation.at), what, detail }
}

#[cfg(test)]
mod tests {
    use super::super::known::examples::{NOON, dead_letter, operation, row};
    use super::*;

    #[test]
    fn a_post_is_told_with_its_author_and_its_sender() {
        let row = StoredPost { sender: Some("forum".to_owned()), ..row(9) };
        let known = Known { row: Some(row), ..Known::default() };
        assert_eq!(events(&known)[0].detail, "\"Hello\" by ann, sent by forum");
        let sender = "forum".parse().ok();
        let dead = DeadLetterSummary { sender, submitted_at: Some(NOON), ..dead_letter(4) };
        let known = Known { dead_letters: vec![dead], ..Known::default() };
        assert_eq!(events(&known)[0].detail, "without a title, sent by forum");
    }

    #[test]
    fn what_happened_is_told_in_order_whoever_tells_it() {
        let known = Known {
            row: Some(row(9)),
            dead_letters: vec![dead_letter(4)],
            operations: vec![operation(6, "replayed")],
            ..Known::default()
        };
        let told: Vec<_> = events(&known).into_iter().map(|event| event.what).collect();
        assert_eq!(told, ["submitted", "failed", "dead-lettered", "replayed", "recorded"]);
        let (dead, there) = (operation(6, "left"), dead_letter(4));
        let lines = vec![AuditEntry { death: Some(there.death()), ..dead.clone() }, dead];
        let known = Known { dead_letters: vec![there], operations: lines, ..Known::default() };
        let told: Vec<_> = events(&known).into_iter().map(|event| event.what).collect();
        assert_eq!(told, ["failed", "dead-lettered", "acted on", "acted on"], "one death that two places tell of");
        let nameless = DeadLetterSummary { first_failed_at: None, last_failed_at: None, attempts: 1, ..dead_letter(0) };
        let known = Known { dead_letters: vec![nameless], operations: vec![operation(6, "left")], ..Known::default() };
        let told = events(&known);
        assert_eq!((told[0].what, told[1].what, told[1].at), ("acted on", "dead-lettered", None));
        assert!(told[0].detail.contains("left (replay)") && told[1].detail.contains("after 1 attempt,"), "{told:?}");
    }
}
