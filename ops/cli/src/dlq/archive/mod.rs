//! Dropped dead letters as the audit log keeps them: identical ones are one entry.
//!
//! A drop that was killed between its record and its acknowledgement leaves a dead letter both in the queue and in the
//! audit log, and the next drop records it once more. So a line of the audit log is not always a dead letter. But no
//! operation takes the same dead letter twice: of identical dead letters there are as many as one operation dropped at
//! most, including those that are in the queue again.

pub(in crate::dlq) mod dropped;
pub(in crate::dlq) mod import;
mod lines;
pub(in crate::dlq) mod restore;
mod restoring;
mod search;

pub(crate) use restore::put_back;
pub(crate) use search::find;

use sluice_mysql::{Dropped, LineId};
use sluice_rabbit::dead_letters::{DeadLetterSummary, Digest, Transcript};
use time::OffsetDateTime;

/// Identical dead letters.
#[derive(Debug, Clone)]
pub(crate) struct DroppedEntry {
    pub(in crate::dlq) digest: Digest,
    pub(in crate::dlq) summary: DeadLetterSummary,
    /// When the first was dropped, UTC, and by whom.
    pub(in crate::dlq) at: OffsetDateTime,
    pub(in crate::dlq) actor: String,
    /// The reason that was given.
    pub(in crate::dlq) reason: Option<String>,
    /// The bytes of one of them, written out.
    bytes: usize,
    /// All lines of the audit log about them, in the order of the operations.
    pub(in crate::dlq) lines: Vec<LineId>,
    chosen: bool,
}

impl DroppedEntry {
    /// How many dead letters there are: as many as one operation dropped at most.
    pub(in crate::dlq) fn copies(&self) -> usize {
        self.lines.chunk_by(|a, b| a.operation == b.operation).map(<[LineId]>::len).max().unwrap_or(0)
    }
}

/// Entries that can be restored at once: no more than so many, and about so many bytes unless one has more.
pub(in crate::dlq) fn portions(
    mut entries: &[DroppedEntry],
    most: usize,
    bytes: usize,
) -> impl Iterator<Item = &[DroppedEntry]> {
    std::iter::from_fn(move || {
        let mut sum = 0;
        let fits = entries.iter().take(most).take_while(|entry| {
            let before = sum;
            sum += entry.bytes * entry.copies();
            before == 0 || sum <= bytes
        });
        let (portion, rest) = entries.split_at(fits.count());
        entries = rest;
        (!portion.is_empty()).then_some(portion)
    })
}

/// The entries that were asked for, and those that do not exist.
pub(crate) struct DroppedEntries {
    /// Those chosen, the longest dropped first.
    pub(crate) chosen: Vec<DroppedEntry>,
    /// The ids that were asked for and cannot be restored, with the reason.
    pub(crate) missing: Vec<(String, String)>,
    /// How many lines the audit log has.
    pub(in crate::dlq) total: usize,
}

/// The dead letter itself, from its line.
pub(in crate::dlq) fn transcript(dead_letter: &Dropped) -> Result<Transcript, String> {
    serde_json::from_str(&dead_letter.transcript)
        .map_err(|error| format!("its archived copy cannot be read: {}", sluice_core::json::told(&error)))
}
