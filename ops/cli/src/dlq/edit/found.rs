//! The dead letter to edit, and its history in the audit log.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sluice_core::named::Named;
use sluice_mysql::{LineId, Store};
use sluice_rabbit::dead_letters::Transcript;

use crate::browse::DeadLetters;
use crate::hint;
use crate::visible::line;
use sluice_runtime::output::report;

/// Beyond so many bytes of bodies, no further dead letters of an id are kept.
const BYTES: usize = 16 * 1024 * 1024;

/// The dead letters of an id.
pub(crate) struct Found {
    /// The one to edit: the oldest, or of a pair the edited one.
    pub(crate) dead_letter: Transcript,
    /// The original from the audit log, and its position there.
    pub(crate) original: Option<(LineId, Transcript)>,
    /// Whether an edit or its undo was interrupted: the original is then also in the queue.
    pub(crate) both: bool,
}

impl Found {
    /// Looks.
    ///
    /// # Errors
    /// When the dead letters cannot be browsed or the audit log cannot be queried; when no dead letter has the id.
    pub(crate) async fn look(named: &Named, dead: &DeadLetters, store: &Store) -> anyhow::Result<Self> {
        let mut dead_letters: Vec<Transcript> = Vec::new();
        let (mut digests, mut total, mut bytes) = (HashSet::new(), 0, 0);
        dead.look(|dead_letter| {
            let meant = dead_letter.summary.is(named);
            if meant || dead_letter.is_anonymous() {
                let transcript = dead_letter.transcript();
                digests.insert(transcript.digest());
                if meant {
                    total += 1;
                    bytes += dead_letter.body().len();
                    // The oldest, and those that may be one of a pair.
                    if dead_letters.is_empty() || (transcript.edited_by().is_some() && bytes < BYTES) {
                        dead_letters.push(transcript);
                    }
                }
            }
            ControlFlow::Continue(())
        })
        .await?;
        let mut known = Vec::new();
        for dead_letter in &dead_letters {
            let original = original(dead_letter, store).await?;
            let both = original.as_ref().is_some_and(|(_, original)| digests.contains(&original.digest()));
            if both {
                return Ok(Self { dead_letter: dead_letter.clone(), original, both });
            }
            known.push(original);
        }
        if total > 1 {
            report!("{total} dead letters have this id; the oldest is used");
        }
        match dead_letters.into_iter().zip(known).next() {
            Some((dead_letter, original)) => Ok(Self { dead_letter, original, both: false }),
            None => Err(NoSuchDeadLetter {
                queue: dead.topology.dead_letter_queue(),
                id: line(named.text()),
                record: hint::with_flag("dlq audit", &dead.prefix, "--dead-letter", named.text()),
            }
            .into()),
        }
    }
}

/// No dead letter has the id that was asked for.
#[derive(Debug, thiserror::Error)]
#[error(
    "no dead letter in {queue} has the id {id}; `sluice dlq list` lists them, `{record}` shows what was done to \
         it"
)]
pub(crate) struct NoSuchDeadLetter {
    queue: String,
    id: String,
    record: String,
}

/// The original of an edited dead letter. Its header says by which operation it was edited; a copy of another message
/// does not belong to its history.
async fn original(dead_letter: &Transcript, store: &Store) -> anyhow::Result<Option<(LineId, Transcript)>> {
    let Some(operation) = dead_letter.edited_by() else { return Ok(None) };
    let kept = store.archived_in(operation).await.map_err(|failure| store.with_context(failure))?;
    Ok(match kept {
        Some((line, json)) => {
            let original: Transcript = serde_json::from_str(&json).map_err(|error| {
                anyhow::anyhow!("the audit log cannot be read: {}", sluice_core::json::told(&error))
            })?;
            let same = original.properties.message_id == dead_letter.properties.message_id;
            same.then_some((line, original))
        }
        None => None,
    })
}
