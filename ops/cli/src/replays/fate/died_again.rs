//! The dead letters that failed again after a replay, and why.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use sluice_core::disposition::Class;
use sluice_rabbit::dead_letters::DeadLetterSummary;

use crate::browse::DeadLetters;

/// The most characters of a failure's message that are kept: a hundred thousand dead letters may each have another.
const MESSAGE_MAX_CHARS: usize = 300;

#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Reason {
    pub(crate) class: Class,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) fingerprint: String,
}

/// The dead letters whose header names a replay.
#[derive(Debug, Default)]
pub(crate) struct DiedAgain {
    by_replay: HashMap<String, HashMap<String, Arc<Reason>>>,
    /// Each reason once: dead letters have few different ones.
    reasons: HashSet<Arc<Reason>>,
}

impl DiedAgain {
    /// Reads the dead letters and puts them back. `only` limits it to one replay.
    pub(crate) async fn look(dead: &DeadLetters, only: Option<&str>) -> anyhow::Result<Self> {
        let mut found = Self::default();
        dead.look(|dead_letter| {
            if let Some(replay) = dead_letter.replayed_by()
                && only.is_none_or(|only| only == replay)
            {
                found.add(replay, dead_letter.summary);
            }
            ControlFlow::Continue(())
        })
        .await?;
        Ok(found)
    }

    fn add(&mut self, replay: String, dead_letter: DeadLetterSummary) {
        let DeadLetterSummary { id, class, code, message, fingerprint, .. } = dead_letter;
        let message = match message.char_indices().nth(MESSAGE_MAX_CHARS) {
            Some((end, _)) => format!("{}…", &message[..end]),
            None => message,
        };
        let reason = Arc::new(Reason { class, code, message, fingerprint });
        let reason = match self.reasons.get(&reason) {
            Some(known) => Arc::clone(known),
            None => {
                self.reasons.insert(Arc::clone(&reason));
                reason
            }
        };
        self.by_replay.entry(replay).or_default().insert(id, reason);
    }

    pub(super) fn of(&self, replay: &str, dead_letter: &str) -> Option<&Arc<Reason>> {
        self.by_replay.get(replay)?.get(dead_letter)
    }
}
