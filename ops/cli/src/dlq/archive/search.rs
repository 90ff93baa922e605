//! Finding the dropped dead letters that were asked for in the audit log.

use std::collections::{HashMap, HashSet};

use sluice_core::named::Named;
use sluice_mysql::{DropOperation, Dropped, Store, StoreError};
use sluice_rabbit::dead_letters::Digest;

use super::{DroppedEntries, DroppedEntry, transcript};
use crate::dlq::select::{Filters, Selection};
use crate::times::shown;

/// Reads the audit log.
pub(crate) async fn find(
    store: &Store,
    prefix: &str,
    filters: &Filters,
    operations: &[String],
) -> Result<DroppedEntries, StoreError> {
    let with_context = |failure| store.with_context(failure);
    let mut search = Search::new(filters.clone(), operations);
    let drops = store.drops(prefix).await.map_err(with_context)?;
    for drop in &drops {
        let mut after = 0;
        loop {
            let dead_letters = store.dropped_in(&drop.id, after).await.map_err(with_context)?;
            let Some(last) = dead_letters.last() else { break };
            after = last.line.number;
            dead_letters.into_iter().for_each(|dead_letter| search.see(dead_letter, drop));
        }
    }
    let mut missing = std::mem::take(&mut search.unreadable);
    for id in search.selection.unknown() {
        if missing.iter().any(|(unreadable, _)| *unreadable == id) {
            continue;
        }
        let fate = store.fate(prefix, &Named::new(&id)).await.map_err(with_context)?;
        missing.push((id, why_missing(fate.as_ref())));
    }
    for operation in operations.iter().filter(|operation| !search.operations_met.contains(&spelled(operation))) {
        let reason = match drops.iter().any(|drop| drop.id == spelled(operation)) {
            true => "all dead letters of this operation were already restored",
            false => "no operation with this id dropped dead letters of this prefix",
        };
        missing.push((operation.clone(), reason.to_owned()));
    }
    let total = search.entries.iter().map(DroppedEntry::copies).sum();
    Ok(DroppedEntries { chosen: search.entries.into_iter().filter(|entry| entry.chosen).collect(), missing, total })
}

/// An operation's id in the form of the audit log.
fn spelled(operation: &str) -> String {
    Named::new(operation).post().map_or_else(|| operation.to_owned(), |id| id.to_string())
}

fn why_missing(fate: Option<&sluice_mysql::LastOperation>) -> String {
    let Some(fate) = fate else { return "no dead letter with this id was dropped".to_owned() };
    let by = format!("at {} by {} (operation {})", shown(Some(fate.at)), fate.actor, fate.operation);
    match fate.outcome.as_str() {
        "destroyed" => format!("it was destroyed {by}"),
        "restored" | "present" => format!("it was already restored, {by}"),
        "dropped" => format!("it was dropped {by}, but does not match the selection"),
        other => format!("it was {other} {by}, and not dropped since"),
    }
}

struct Search {
    selection: Selection,
    operations: HashSet<String>,
    operations_met: HashSet<String>,
    entries: Vec<DroppedEntry>,
    by_digest: HashMap<Digest, usize>,
    unreadable: Vec<(String, String)>,
}

impl Search {
    fn new(filters: Filters, operations: &[String]) -> Self {
        Self {
            selection: Selection::new(filters),
            operations: operations.iter().map(|operation| spelled(operation)).collect(),
            operations_met: HashSet::new(),
            entries: Vec::new(),
            by_digest: HashMap::new(),
            unreadable: Vec::new(),
        }
    }

    fn see(&mut self, dead_letter: Dropped, drop: &DropOperation) {
        let asked = self.operations.is_empty() || self.operations.contains(&dead_letter.line.operation);
        if asked {
            self.operations_met.insert(dead_letter.line.operation.clone());
        }
        let read = transcript(&dead_letter).and_then(|transcript| {
            let summary = transcript.summary().map_err(|error| error.to_string())?;
            Ok((transcript.digest(), summary, transcript.bytes().unwrap_or_default()))
        });
        let (digest, summary, body) = match read {
            Ok(read) => read,
            Err(problem) => {
                if asked && self.selection.may_name(&dead_letter.dead_letter) {
                    self.unreadable.push((dead_letter.dead_letter, problem));
                }
                return;
            }
        };
        let bytes = dead_letter.transcript.len();
        let known = self.by_digest.get(&digest).copied();
        let wanted = known.is_some_and(|known| self.entries[known].chosen);
        let chosen = wanted || (asked && self.selection.takes(&summary, &body));
        match known {
            Some(known) => {
                self.entries[known].lines.push(dead_letter.line);
                self.entries[known].chosen |= chosen;
            }
            None => {
                self.by_digest.insert(digest, self.entries.len());
                let (at, lines) = (dead_letter.at, vec![dead_letter.line]);
                let DropOperation { actor, reason, .. } = drop.clone();
                self.entries.push(DroppedEntry { digest, summary, at, actor, reason, bytes, lines, chosen });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use sluice_mysql::LineId;
    use time::OffsetDateTime;

    fn dropped(operation: &str, number: u32, body: &str) -> Dropped {
        Dropped {
            line: LineId { operation: operation.to_owned(), number },
            dead_letter: "a".to_owned(),
            at: OffsetDateTime::UNIX_EPOCH,
            transcript: json!({ "properties": { "message_id": "a" }, "body": body }).to_string(),
        }
    }

    fn me() -> DropOperation {
        DropOperation { id: "1".to_owned(), actor: "me".to_owned(), reason: None }
    }

    fn copies(lines: &[(&str, u32, &str)]) -> Vec<usize> {
        let mut search = Search::new(Filters::default(), &[]);
        lines.iter().for_each(|(operation, number, body)| search.see(dropped(operation, *number, body), &me()));
        search.entries.iter().map(DroppedEntry::copies).collect()
    }

    #[test]
    fn identical_dead_letters_are_as_many_as_one_operation_dropped_at_most() {
        assert_eq!(copies(&[("1", 1, "x"), ("1", 2, "x"), ("1", 3, "y")]), [2, 1], "of one operation each counts");
        assert_eq!(
            copies(&[("1", 1, "x"), ("2", 1, "x")]),
            [1],
            "the second operation dropped what the first had left"
        );
        assert_eq!(copies(&[("1", 1, "x"), ("1", 2, "x"), ("2", 1, "x")]), [2], "the first got through one of two");
    }

    #[test]
    fn an_entry_is_taken_whole_whichever_operation_was_asked_for() {
        let mut search = Search::new(Filters::default(), &["2".to_owned()]);
        search.see(dropped("1", 1, "x"), &me());
        assert!(!search.entries[0].chosen);
        search.see(dropped("2", 1, "x"), &me());
        assert!(search.entries[0].chosen && search.entries[0].lines.len() == 2);
    }

    #[test]
    fn a_record_that_cannot_be_read_costs_that_dead_letter_only() {
        let mut search = Search::new(Filters::default(), &[]);
        search.see(Dropped { transcript: "{".to_owned(), ..dropped("1", 1, "") }, &me());
        search.see(dropped("1", 2, "x"), &me());
        assert_eq!((search.entries.len(), search.unreadable.len()), (1, 1));
    }
}
