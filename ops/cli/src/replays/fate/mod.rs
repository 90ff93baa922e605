//! The outcome of a dead letter after its replay.
//!
//! ```text
//!  the audit log says ─► not replayed, left
//!  replayed ─► its row was there before this replay               ─► already recorded
//!              a later replay found it dead after this one, and no row ─► replayed again
//!              its row is there now, and no other post's          ─► recorded
//!              among the dead letters, and bears this replay's id ─► failed again
//!              a later operation dropped it                             ─► dropped
//!              none of these                                      ─► waiting, in the queue or in flight
//! ```
//!
//! The tables come first: that a dead letter went through this replay, only its header says, and whoever may publish to
//! RabbitMQ can write headers.

mod counts;
mod died_again;

pub(crate) use counts::Counts;
pub(crate) use died_again::{DiedAgain, Reason};

use std::sync::Arc;

use sluice_core::failure::Failure;
use sluice_core::post::PostId;
use sluice_mysql::{ID_CONFLICT, PastItem, Store, Taken};

use super::trace::Trace;

/// The outcome of one dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    Recorded,
    /// It was stored before: the replay changed nothing.
    AlreadyRecorded,
    /// It is among the dead letters again.
    FailedAgain(Arc<Reason>),
    /// It is in the queue or in flight.
    Waiting,
    /// It failed again, and this later replay took it.
    ReplayedAgain(String),
    /// It failed again, and this later operation dropped it.
    Dropped(String),
    /// It had been replayed too often.
    Left(String),
    /// It could not be replayed.
    NotReplayed(String),
}

impl Fate {
    /// Its name in JSON; text shows it with spaces.
    pub(crate) fn name(&self) -> &'static str {
        Counts::NAMES[self.place()]
    }

    fn place(&self) -> usize {
        match self {
            Self::Recorded => 0,
            Self::AlreadyRecorded => 1,
            Self::FailedAgain(_) => 2,
            Self::Waiting => 3,
            Self::ReplayedAgain(_) => 4,
            Self::Dropped(_) => 5,
            Self::Left(_) => 6,
            Self::NotReplayed(_) => 7,
        }
    }
}

/// The outcomes of these dead letters of one replay.
pub(crate) async fn fates(
    store: &Store,
    replay: &str,
    dead_letters: &[PastItem],
    died: &DiedAgain,
) -> Result<Vec<Fate>, Failure> {
    let sent = |dead_letter: &&PastItem| dead_letter.outcome == "replayed";
    let asked: Vec<&str> =
        dead_letters.iter().filter(sent).map(|dead_letter| dead_letter.dead_letter.as_str()).collect();
    let taken = store.taken_by_others(replay, &asked).await?;
    let traces: Vec<Trace> = dead_letters.iter().map(|dead_letter| Trace::read(&dead_letter.detail)).collect();
    let posts: Vec<PostId> = dead_letters
        .iter()
        .zip(&traces)
        .filter(|(dead_letter, trace)| sent(dead_letter) && !trace.already_recorded && !trace.id_taken)
        .filter_map(|(dead_letter, trace)| trace.post(&dead_letter.dead_letter))
        .collect();
    let stored = store.recorded(&posts).await?;
    let fate = |(dead_letter, trace): (&PastItem, &Trace)| match dead_letter.outcome.as_str() {
        "replayed" => {
            let others = taken.get(&dead_letter.dead_letter).map(Vec::as_slice).unwrap_or_default();
            let row =
                !trace.id_taken && trace.post(&dead_letter.dead_letter).is_some_and(|post| stored.contains(&post));
            replayed(replay, died.of(replay, &dead_letter.dead_letter), trace, row, others)
        }
        "left" => Fate::Left(dead_letter.detail.clone()),
        _ => Fate::NotReplayed(dead_letter.detail.clone()),
    };
    Ok(dead_letters.iter().zip(&traces).map(fate).collect())
}

/// The outcome of a dead letter that was replayed. `others` are the other operations that took it.
fn replayed(replay: &str, dead: Option<&Arc<Reason>>, trace: &Trace, row: bool, others: &[Taken]) -> Fate {
    // If the later replay found the row already there, this one has stored it, whatever the header said.
    let is_next = |taken: &&Taken| {
        let trace = Trace::read(&taken.detail);
        taken.outcome == "replayed" && trace.after.as_deref() == Some(replay) && !trace.already_recorded
    };
    let next = others.iter().find(is_next);
    // Ids grow with time.
    let dropped = || others.iter().find(|taken| taken.outcome != "replayed" && taken.operation.as_str() > replay);
    match (trace.already_recorded, next, row, dead) {
        (true, ..) => Fate::AlreadyRecorded,
        (false, Some(next), ..) => Fate::ReplayedAgain(next.operation.clone()),
        // The row is another post's.
        (false, None, true, Some(reason)) if reason.code == ID_CONFLICT => Fate::FailedAgain(Arc::clone(reason)),
        (false, None, true, _) => Fate::Recorded,
        (false, None, false, Some(reason)) => Fate::FailedAgain(Arc::clone(reason)),
        (false, None, false, None) => dropped().map_or(Fate::Waiting, |taken| Fate::Dropped(taken.operation.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_core::disposition::Class;

    const THIS: &str = "01a20461-3097-72df-9138-a4c221a70ed1";
    const NEXT: &str = "01a20461-4000-72df-9138-a4c221a70ed1";

    fn taken(operation: &str, outcome: &str, detail: String) -> Vec<Taken> {
        vec![Taken { operation: operation.to_owned(), outcome: outcome.to_owned(), detail }]
    }

    fn fate(already_recorded: bool, row: bool, others: &[Taken]) -> Fate {
        replayed(THIS, None, &Trace { already_recorded, ..Trace::default() }, row, others)
    }

    #[test]
    fn a_row_tells_recorded_and_the_note_tells_whether_it_was_there_before() {
        assert_eq!(fate(false, true, &[]), Fate::Recorded);
        assert_eq!(fate(true, true, &[]), Fate::AlreadyRecorded);
        assert_eq!(fate(false, false, &[]), Fate::Waiting);
    }

    #[test]
    fn only_the_replay_that_found_it_dead_after_this_one_replayed_it_again() {
        let after = |id: &str| Trace { after: Some(id.to_owned()), ..Trace::default() }.to_string();
        assert_eq!(fate(false, true, &taken(NEXT, "replayed", after(THIS))), Fate::ReplayedAgain(NEXT.to_owned()));
        assert_eq!(fate(false, true, &taken(NEXT, "replayed", after(NEXT))), Fate::Recorded);
        assert_eq!(fate(false, true, &taken(NEXT, "replayed", String::new())), Fate::Recorded, "another copy of it");
    }

    #[test]
    fn the_row_counts_more_than_what_a_dead_letter_says() {
        let (class, text) = (Class::Permanent, String::new);
        let forged = Arc::new(Reason { class, code: text(), message: text(), fingerprint: text() });
        let fate = |already_recorded, row| {
            let trace = Trace { already_recorded, ..Trace::default() };
            replayed(THIS, Some(&forged), &trace, row, &[])
        };
        assert_eq!((fate(false, true), fate(true, true)), (Fate::Recorded, Fate::AlreadyRecorded));
        assert_eq!(fate(false, false), Fate::FailedAgain(Arc::clone(&forged)));
        let later = Trace { already_recorded: true, after: Some(THIS.to_owned()), ..Trace::default() };
        let found_stored = taken(NEXT, "replayed", later.to_string());
        assert_eq!(replayed(THIS, None, &Trace::default(), true, &found_stored), Fate::Recorded);
    }

    #[test]
    fn only_a_later_drop_counts() {
        assert_eq!(fate(false, false, &taken(NEXT, "dropped", String::new())), Fate::Dropped(NEXT.to_owned()));
        let earlier = "01a10461-4000-72df-9138-a4c221a70ed1";
        assert_eq!(fate(false, false, &taken(earlier, "dropped", String::new())), Fate::Waiting);
    }
}
