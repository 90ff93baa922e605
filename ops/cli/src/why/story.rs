//! What happened to a post, in order, and where it is now.

use std::collections::HashSet;

use serde::Serialize;
use sluice_core::dead_letter::Death;
use sluice_core::verdict::{Reason, Score};
use sluice_mysql::{AuditEntry, Content, StoredPost};
use sluice_rabbit::dead_letters::DeadLetterSummary;
use sluice_rabbit::topology::Topology;

use super::Known;
use super::event::Event;
use crate::hint;
use crate::operation;
use crate::times::shown;

/// Where a post is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Whereabouts {
    /// In MySQL.
    Recorded,
    /// Among the dead letters.
    Dead,
    /// Taken out by an operator.
    Dropped,
    /// Put back to work, and not arrived yet.
    Waiting,
    /// No place that can be searched by id has heard of it.
    Unknown,
}

/// What happened, the oldest first; what has no time comes last.
pub(super) fn events(known: &Known) -> Vec<Event> {
    let mut events: Vec<Event> = known.row.iter().flat_map(of_row).collect();
    if known.row.is_none() {
        events.extend(submitted(known));
    }
    events.extend(deaths(known).iter().flat_map(of_death));
    events.extend(known.operations.iter().map(of_operation));
    events.extend(known.reviewed.events());
    events.sort_by_key(|event| (event.at.is_none(), event.at));
    events
}

fn of_row(row: &StoredPost) -> [Event; 2] {
    let author = row.author.as_ref().map(|author| format!(" by {author}")).unwrap_or_default();
    let stored = match row.attempts {
        0 | 1 => String::new(),
        attempts => format!(", at attempt {attempts}"),
    };
    let because = because(row);
    let told = format!("{} by the rules {}{because}, stored by {}{stored}", row.verdict, row.ruleset, row.worker);
    [
        Event { at: Some(row.submitted_at), what: "submitted", detail: format!("\"{}\"{author}", row.title) },
        Event { at: Some(row.recorded_at), what: "recorded", detail: told },
    ]
}

/// What spoke against it: the sum of each category, then each rule with what it found.
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

/// When it was submitted, as a dead letter of it says or the audit log noted of one.
fn submitted(known: &Known) -> Option<Event> {
    let dead_letter =
        known.dead_letters.iter().find_map(|dead_letter| dead_letter.submitted_at.map(|at| (at, of_whom(dead_letter))));
    let noted = || known.operations.iter().find_map(|operation| operation.death.as_ref()?.submitted_at);
    let (at, detail) = dead_letter.or_else(|| noted().map(|at| (at, "a dead letter said so".to_owned())))?;
    Some(Event { at: Some(at), what: "submitted", detail })
}

fn of_whom(dead_letter: &DeadLetterSummary) -> String {
    let author = dead_letter.author.as_ref().map(|author| format!(" by {author}")).unwrap_or_default();
    dead_letter.title.as_ref().map_or_else(|| "without a title".to_owned(), |title| format!("\"{title}\"")) + &author
}

/// Each death once: those of the dead letters that are there, then those that operations noted when they took a dead
/// letter. Several operations may have seen the same one.
fn deaths(known: &Known) -> Vec<Death> {
    let mut seen = HashSet::new();
    let there = known.dead_letters.iter().map(DeadLetterSummary::death);
    let noted = known.operations.iter().filter_map(|operation| operation.death.clone());
    let mut deaths: Vec<Death> = there.chain(noted).collect();
    // What was destroyed is noted without its message.
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

/// Where it is, and the same in words.
pub(super) fn place(known: &Known, topology: &Topology, prefix: &str) -> (Whereabouts, String) {
    let tells_more = |dead_letter: &DeadLetterSummary| {
        format!("`{}` tells more", hint::command("dlq show", prefix, &dead_letter.id))
    };
    // A row is what counts; a dead letter only says that it is of this post.
    if let Some(row) = &known.row {
        let also = known.dead_letters.first().map(|dead_letter| {
            let queue = topology.dead_letter_queue();
            let means = if known.says == Some(Content::of_row(row)) {
                "has its id: a replay would find it stored".to_owned()
            } else {
                let edit = hint::command("dlq edit --new-id", prefix, &dead_letter.id);
                format!(
                    "is another post with its id: a replay would end in id_conflict, unless `{edit}` gives it its own"
                )
            };
            format!(", though a dead letter in {queue} {means}; {}", tells_more(dead_letter))
        });
        let stored = format!("stored in MySQL since {}", shown(Some(row.recorded_at)));
        return (Whereabouts::Recorded, stored + &known.reviewed.now() + &also.unwrap_or_default());
    }
    if let Some(dead_letter) = known.dead_letters.first() {
        return (Whereabouts::Dead, format!("dead in {}; {}", topology.dead_letter_queue(), tells_more(dead_letter)));
    }
    let queue = format!("{} waiting in {}, which cannot be searched", known.waiting, topology.queue());
    let moved = |operation: &&AuditEntry| {
        matches!(operation.outcome.as_str(), "replayed" | "dropped" | "destroyed" | "restored")
    };
    let last = known.operations.iter().rev().find(moved);
    match last.map(|operation| (operation.outcome.as_str(), &operation.actor, &operation.dead_letter)) {
        Some(("replayed", ..)) => {
            (Whereabouts::Waiting, format!("replayed, and not stored yet: waiting, or in flight ({queue})"))
        }
        Some(("dropped", actor, dead_letter)) => {
            let restore = hint::command("dlq restore", prefix, dead_letter);
            (Whereabouts::Dropped, format!("dropped by {actor}; `{restore}` brings it back"))
        }
        Some(("destroyed", actor, _)) => (Whereabouts::Dropped, format!("dropped for good by {actor}")),
        _ => (
            Whereabouts::Unknown,
            format!("neither stored, dead nor dropped: still waiting or in flight, or never accepted ({queue})"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_core::config::BrokerArgs;
    use sluice_core::disposition::Class;
    use time::OffsetDateTime;
    use time::macros::datetime;

    const NOON: OffsetDateTime = datetime!(2026-11-22 12:00 UTC);

    fn topology() -> Topology {
        let prefix = "post".parse().expect("a good prefix");
        Topology::new(&BrokerArgs { amqp_url: "amqp://h".into(), prefix, max_length: None })
    }

    fn row(minutes: i64) -> StoredPost {
        let at = NOON + time::Duration::minutes(minutes);
        StoredPost {
            id: "a".to_owned(),
            title: "Hello".to_owned(),
            content: String::new(),
            author: Some("ann".to_owned()),
            verdict: "approved".to_owned(),
            reasons: "[]".to_owned(),
            ruleset: "builtin".to_owned(),
            submitted_at: NOON,
            recorded_at: at,
            worker: "w-1".to_owned(),
            attempts: 2,
            scores: None,
        }
    }

    fn dead_letter(minutes: i64) -> DeadLetterSummary {
        DeadLetterSummary {
            id: "a".to_owned(),
            class: Class::Permanent,
            code: "too_long".to_owned(),
            message: "no room".to_owned(),
            fingerprint: String::new(),
            attempts: 3,
            first_failed_at: Some(NOON + time::Duration::minutes(minutes - 1)),
            last_failed_at: Some(NOON + time::Duration::minutes(minutes)),
            worker: "w-2".to_owned(),
            replays: 0,
            title: None,
            author: None,
            post: None,
            submitted_at: None,
        }
    }

    fn operation(minutes: i64, outcome: &str) -> AuditEntry {
        AuditEntry {
            at: NOON + time::Duration::minutes(minutes),
            operation: "op".to_owned(),
            kind: "replay".to_owned(),
            actor: "me@here".to_owned(),
            dead_letter: "a".to_owned(),
            outcome: outcome.to_owned(),
            detail: String::new(),
            archived: false,
            undone_by: None,
            asked: serde_json::Value::Null,
            post: None,
            reason: None,
            death: None,
        }
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

    #[test]
    fn the_place_is_the_one_that_counts() {
        let place = |known: &Known| place(known, &topology(), "post").0;
        assert_eq!(place(&Known::default()), Whereabouts::Unknown);
        assert_eq!(place(&Known { row: Some(row(1)), ..Known::default() }), Whereabouts::Recorded);
        let recorded = |says| {
            let known = Known { row: Some(row(1)), dead_letters: vec![dead_letter(4)], says, ..Known::default() };
            let (place, told) = super::place(&known, &topology(), "post");
            assert_eq!(place, Whereabouts::Recorded);
            told
        };
        assert!(recorded(Some(Content::of_row(&row(1)))).contains("a replay would find it stored"));
        let other = Content::of_row(&StoredPost { title: "hello".to_owned(), ..row(1) });
        assert!(recorded(Some(other)).contains("another post") && recorded(None).contains("another post"));
        assert_eq!(place(&Known { dead_letters: vec![dead_letter(4)], ..Known::default() }), Whereabouts::Dead);
        assert_eq!(
            place(&Known { operations: vec![operation(1, "replayed")], ..Known::default() }),
            Whereabouts::Waiting
        );
        let dropped = vec![operation(1, "replayed"), operation(2, "dropped"), operation(3, "failed")];
        assert_eq!(place(&Known { operations: dropped, ..Known::default() }), Whereabouts::Dropped);
    }
}
