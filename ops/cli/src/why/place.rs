//! Where a post is now.

use serde::Serialize;
use sluice_mysql::{AuditEntry, Content};
use sluice_rabbit::dead_letters::DeadLetterSummary;
use sluice_rabbit::topology::Topology;

use super::known::Known;
use crate::hint;
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
    /// Stored once, and deleted because it was old.
    Pruned,
    /// Replayed, and not stored yet.
    Waiting,
    /// Not found in any place that can be searched by id.
    Unknown,
}

/// Where it is, and the same in words.
pub(super) fn place(known: &Known, topology: &Topology, prefix: &str) -> (Whereabouts, String) {
    let tells_more =
        |dead_letter: &DeadLetterSummary| format!("see `{}`", hint::command("dlq show", prefix, &dead_letter.id));
    // A row takes precedence; a dead letter only claims to be this post.
    if let Some(row) = &known.row {
        let also = known.dead_letters.first().map(|dead_letter| {
            let queue = topology.dead_letter_queue();
            let means = if known.says == Some(Content::of_row(row)) {
                "has its id: a replay would find it stored".to_owned()
            } else {
                let edit = hint::command("dlq edit --new-id", prefix, &dead_letter.id);
                format!(
                    "is another post with its id: a replay would fail with id_conflict, unless `{edit}` gives it a new \
                     one"
                )
            };
            format!(", though a dead letter in {queue} {means}; {}", tells_more(dead_letter))
        });
        let stored = format!("stored in MySQL since {}", shown(Some(row.recorded_at)));
        return (Whereabouts::Recorded, stored + &known.reviewed.now() + &also.unwrap_or_default());
    }
    if let Some(dead_letter) = known.dead_letters.first() {
        let queue = topology.dead_letter_queue();
        return (Whereabouts::Dead, format!("dead-lettered, in {queue}; {}", tells_more(dead_letter)));
    }
    if let Some(pruned) = &known.pruned {
        let when = shown(Some(pruned.at));
        return (
            Whereabouts::Pruned,
            format!("stored once, and deleted by prune {} of {} at {when}", pruned.prune, pruned.by),
        );
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
            (Whereabouts::Dropped, format!("dropped by {actor}; `{restore}` restores it"))
        }
        Some(("destroyed", actor, _)) => (Whereabouts::Dropped, format!("destroyed by {actor}")),
        _ => (
            Whereabouts::Unknown,
            format!(
                "neither stored, dead-lettered nor dropped: still waiting or in flight, or never accepted \
                     ({queue})"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::known::examples::{dead_letter, operation, row};
    use super::*;
    use sluice_core::config::BrokerArgs;
    use sluice_mysql::StoredPost;

    fn topology() -> Topology {
        let prefix = "post".parse().expect("a good prefix");
        Topology::new(&BrokerArgs { amqp_url: "amqp://h".into(), prefix, max_length: None })
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
