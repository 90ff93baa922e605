//! The letter that is to be edited, and what the record knows of its past.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sluice_core::named::Named;
use sluice_mysql::{LineId, Store};
use sluice_rabbit::delivery::Transcript;

use crate::browse::DeadLetters;
use crate::hint;
use crate::visible::line;
use sluice_runtime::output::tell;

/// Beyond so many bytes of bodies, no further letters of an id are kept.
const BYTES: usize = 16 * 1024 * 1024;

/// The letters of an id.
pub(super) struct Found {
    /// The one that counts: the oldest, or of a pair the edited one.
    pub(super) letter: Transcript,
    /// What it was before it was edited, as the record keeps it, and where.
    pub(super) original: Option<(LineId, Transcript)>,
    /// Whether an edit, or its undoing, was cut short: the original is in the queue as well.
    pub(super) both: bool,
}

impl Found {
    /// Looks.
    ///
    /// # Errors
    /// When the letters cannot be looked at or the record not be asked; when no letter has the id.
    pub(super) async fn look(named: &Named, dead: &DeadLetters, store: &Store) -> anyhow::Result<Self> {
        let mut letters: Vec<Transcript> = Vec::new();
        let (mut digests, mut total, mut bytes) = (HashSet::new(), 0, 0);
        dead.look(|letter| {
            let meant = letter.summary.is(named);
            if meant || letter.is_anonymous() {
                let transcript = letter.transcript();
                digests.insert(transcript.digest());
                if meant {
                    total += 1;
                    bytes += letter.body().len();
                    // The oldest, and those that may be one of a pair.
                    if letters.is_empty() || (transcript.edited_by().is_some() && bytes < BYTES) {
                        letters.push(transcript);
                    }
                }
            }
            ControlFlow::Continue(())
        })
        .await?;
        let mut known = Vec::new();
        for letter in &letters {
            let original = original(letter, store).await?;
            let both = original.as_ref().is_some_and(|(_, original)| digests.contains(&original.digest()));
            if both {
                return Ok(Self { letter: letter.clone(), original, both });
            }
            known.push(original);
        }
        if total > 1 {
            tell!("{total} dead letters have this id; the oldest is meant");
        }
        match letters.into_iter().zip(known).next() {
            Some((letter, original)) => Ok(Self { letter, original, both: false }),
            None => Err(NoSuchLetter {
                queue: dead.topology.dead_letter_queue(),
                id: line(named.text()),
                record: hint::with_flag("dlq audit", &dead.prefix, "--letter", named.text()),
            }
            .into()),
        }
    }
}

/// No dead letter has the id that was asked for.
#[derive(Debug, thiserror::Error)]
#[error("no dead letter in {queue} has the id {id}; `sluice dlq list` has them, `{record}` says what was done to it")]
pub(super) struct NoSuchLetter {
    queue: String,
    id: String,
    record: String,
}

/// What an edited letter was before. That it was edited, and by which act, its header says: what an act keeps of another
/// message is none of this letter's past.
async fn original(letter: &Transcript, store: &Store) -> anyhow::Result<Option<(LineId, Transcript)>> {
    let Some(act) = letter.edited_by() else { return Ok(None) };
    let kept = store.kept_in(act).await.map_err(|failure| store.blame(failure))?;
    Ok(match kept {
        Some((line, json)) => {
            let original: Transcript = serde_json::from_str(&json)
                .map_err(|error| anyhow::anyhow!("the record cannot be read: {}", sluice_core::json::told(&error)))?;
            let same = original.properties.message_id == letter.properties.message_id;
            same.then_some((line, original))
        }
        None => None,
    })
}
