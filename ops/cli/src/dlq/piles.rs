//! Dropped letters as the record keeps them, those that nothing tells apart on one pile.
//!
//! A drop that was killed after its record and before its acknowledgement leaves a letter in the queue and on the
//! record, and the next drop puts it on the record once more. So a line of the record is not yet a letter. But no act
//! takes the same letter twice: of letters that nothing tells apart there are as many as one act dropped at most, and
//! those that are in the queue again are among them.

use std::collections::{HashMap, HashSet};

use sluice_core::named::Named;
use sluice_mysql::{DropAct, Dropped, Form, LineId, Store, StoreError};
use sluice_rabbit::delivery::{DeadLetterSummary, Transcript};
use time::OffsetDateTime;

use super::select::{Filters, Selection};
use crate::times::shown;

/// What makes letters one pile.
pub(super) type Digest = [u8; 32];

/// Letters that nothing tells apart.
#[derive(Debug, Clone)]
pub(super) struct Pile {
    /// What tells them from others.
    pub(super) digest: Digest,
    /// What is known of them.
    pub(super) summary: DeadLetterSummary,
    /// When the first was dropped, UTC, and by whom.
    pub(super) at: OffsetDateTime,
    pub(super) actor: String,
    /// Why, in the words of whoever dropped them.
    pub(super) reason: Option<String>,
    /// Whether an older version kept them: what it kept is not all.
    pub(super) older: bool,
    /// The bytes of one of them, written out.
    bytes: usize,
    /// All lines of the record that speak of them, in the order of the acts.
    pub(super) lines: Vec<LineId>,
    chosen: bool,
}

impl Pile {
    /// How many letters there are: as many as one act dropped at most.
    pub(super) fn copies(&self) -> usize {
        self.lines.chunk_by(|a, b| a.act == b.act).map(<[LineId]>::len).max().unwrap_or(0)
    }
}

/// Piles that can be brought back at once: no more than so many, and about so many bytes unless one has more.
pub(super) fn portions(mut piles: &[Pile], most: usize, bytes: usize) -> impl Iterator<Item = &[Pile]> {
    std::iter::from_fn(move || {
        let mut sum = 0;
        let fits = piles.iter().take(most).take_while(|pile| {
            let before = sum;
            sum += pile.bytes * pile.copies();
            before == 0 || sum <= bytes
        });
        let (portion, rest) = piles.split_at(fits.count());
        piles = rest;
        (!portion.is_empty()).then_some(portion)
    })
}

/// What was asked for, and what is not there.
pub(super) struct Piles {
    /// Those chosen, the longest dropped first.
    pub(super) chosen: Vec<Pile>,
    /// What was asked for by its id and cannot be brought back, with the reason.
    pub(super) missing: Vec<(String, String)>,
    /// How many lines the record has.
    pub(super) total: usize,
}

/// Reads the record.
///
/// # Errors
/// The database's.
pub(super) async fn find(store: &Store, prefix: &str, filters: &Filters, acts: &[String]) -> Result<Piles, StoreError> {
    let blame = |failure| store.blame(failure);
    let mut search = Search::new(filters.clone(), acts);
    let drops = store.drops(prefix).await.map_err(blame)?;
    for drop in &drops {
        let mut after = 0;
        loop {
            let letters = store.dropped_in(&drop.id, after).await.map_err(blame)?;
            let Some(last) = letters.last() else { break };
            after = last.line.number;
            letters.into_iter().for_each(|letter| search.see(letter, drop));
        }
    }
    let mut missing = std::mem::take(&mut search.unreadable);
    for id in search.selection.unknown() {
        if missing.iter().any(|(unreadable, _)| *unreadable == id) {
            continue;
        }
        let fate = store.fate(prefix, &Named::new(&id)).await.map_err(blame)?;
        missing.push((id, why_missing(fate.as_ref())));
    }
    for act in acts.iter().filter(|act| !search.acts_met.contains(&spelled(act))) {
        let reason = match drops.iter().any(|drop| drop.id == spelled(act)) {
            true => "all letters of this act were brought back",
            false => "no act of this id dropped letters of this prefix",
        };
        missing.push((act.clone(), reason.to_owned()));
    }
    let total = search.piles.iter().map(Pile::copies).sum();
    Ok(Piles { chosen: search.piles.into_iter().filter(|pile| pile.chosen).collect(), missing, total })
}

/// An act's id as the record spells it.
fn spelled(act: &str) -> String {
    Named::new(act).post().map_or_else(|| act.to_owned(), |id| id.to_string())
}

/// The letter itself.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn transcript(letter: &Dropped) -> Result<Transcript, String> {
    match &letter.form {
        Form::Whole(json) => serde_json::from_str(json)
            .map_err(|error| format!("its record cannot be read: {}", sluice_core::json::told(&error))),
        Form::Older { body, headers } => Ok(Transcript::of_older_record(&letter.letter, body.clone(), headers)),
    }
}

fn why_missing(fate: Option<&sluice_mysql::Fate>) -> String {
    let Some(fate) = fate else { return "no letter of this id was dropped".to_owned() };
    let by = format!("at {} by {} (act {})", shown(Some(fate.at)), fate.actor, fate.act);
    match fate.outcome.as_str() {
        "destroyed" => format!("it was destroyed for ever {by}"),
        "restored" | "present" => format!("it was brought back already, {by}"),
        "dropped" => format!("it was dropped {by}, and is not among those asked for"),
        other => format!("it was {other} {by}, and is not in the record as dropped"),
    }
}

struct Search {
    selection: Selection,
    acts: HashSet<String>,
    acts_met: HashSet<String>,
    piles: Vec<Pile>,
    by_digest: HashMap<Digest, usize>,
    unreadable: Vec<(String, String)>,
}

impl Search {
    fn new(filters: Filters, acts: &[String]) -> Self {
        Self {
            selection: Selection::new(filters),
            acts: acts.iter().map(|act| spelled(act)).collect(),
            acts_met: HashSet::new(),
            piles: Vec::new(),
            by_digest: HashMap::new(),
            unreadable: Vec::new(),
        }
    }

    fn see(&mut self, letter: Dropped, drop: &DropAct) {
        let asked = self.acts.is_empty() || self.acts.contains(&letter.line.act);
        if asked {
            self.acts_met.insert(letter.line.act.clone());
        }
        let read = transcript(&letter).and_then(|transcript| {
            let summary = transcript.summary().map_err(|error| error.to_string())?;
            Ok((transcript.digest(), summary, transcript.bytes().unwrap_or_default()))
        });
        let (digest, summary, body) = match read {
            Ok(read) => read,
            Err(problem) => {
                if asked && self.selection.may_name(&letter.letter) {
                    self.unreadable.push((letter.letter, problem));
                }
                return;
            }
        };
        let bytes = match &letter.form {
            Form::Whole(json) => json.len(),
            Form::Older { body, headers } => body.len() + headers.len(),
        };
        let known = self.by_digest.get(&digest).copied();
        let wanted = known.is_some_and(|known| self.piles[known].chosen);
        let chosen = wanted || (asked && self.selection.takes(&summary, &body));
        match known {
            Some(known) => {
                self.piles[known].lines.push(letter.line);
                self.piles[known].chosen |= chosen;
            }
            None => {
                self.by_digest.insert(digest, self.piles.len());
                let older = matches!(letter.form, Form::Older { .. });
                let (at, lines) = (letter.at, vec![letter.line]);
                let DropAct { actor, reason, .. } = drop.clone();
                self.piles.push(Pile { digest, summary, at, actor, reason, older, bytes, lines, chosen });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn dropped(act: &str, number: u32, body: &str) -> Dropped {
        Dropped {
            line: LineId { act: act.to_owned(), number },
            letter: "a".to_owned(),
            at: OffsetDateTime::UNIX_EPOCH,
            form: Form::Whole(json!({ "properties": { "message_id": "a" }, "body": body }).to_string()),
        }
    }

    fn me() -> DropAct {
        DropAct { id: "1".to_owned(), actor: "me".to_owned(), reason: None }
    }

    fn copies(lines: &[(&str, u32, &str)]) -> Vec<usize> {
        let mut search = Search::new(Filters::default(), &[]);
        lines.iter().for_each(|(act, number, body)| search.see(dropped(act, *number, body), &me()));
        search.piles.iter().map(Pile::copies).collect()
    }

    #[test]
    fn letters_that_nothing_tells_apart_are_as_many_as_one_act_dropped_at_most() {
        assert_eq!(copies(&[("1", 1, "x"), ("1", 2, "x"), ("1", 3, "y")]), [2, 1], "of one act each counts");
        assert_eq!(copies(&[("1", 1, "x"), ("2", 1, "x")]), [1], "the second act dropped what the first had left");
        assert_eq!(copies(&[("1", 1, "x"), ("1", 2, "x"), ("2", 1, "x")]), [2], "the first got through one of two");
    }

    #[test]
    fn a_pile_is_taken_whole_whichever_act_was_asked_for() {
        let mut search = Search::new(Filters::default(), &["2".to_owned()]);
        search.see(dropped("1", 1, "x"), &me());
        assert!(!search.piles[0].chosen);
        search.see(dropped("2", 1, "x"), &me());
        assert!(search.piles[0].chosen && search.piles[0].lines.len() == 2);
    }

    #[test]
    fn a_record_that_cannot_be_read_costs_that_letter_only() {
        let mut search = Search::new(Filters::default(), &[]);
        search.see(Dropped { form: Form::Whole("{".to_owned()), ..dropped("1", 1, "") }, &me());
        search.see(dropped("1", 2, "x"), &me());
        assert_eq!((search.piles.len(), search.unreadable.len()), (1, 1));
    }
}
