//! The answer to a batch: one result a line, in memory that is reserved until the client has read it.

use std::sync::Arc;

use axum::body::Bytes;
use serde::Serialize;
use sluice_core::post::PostId;
use sluice_runtime::health::Problem;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::memory::{Held, Memory, Overloaded};

/// The most bytes that the result of one line has: that of a line with every error has half as many.
const RESULT_MAX: usize = 2048;

/// The outcome of a line.
#[derive(Debug, Serialize)]
pub(super) struct LineResult {
    pub(super) line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<PostId>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Box<Problem>>,
}

impl LineResult {
    pub(super) fn queued(line: u64, id: PostId) -> Self {
        Self { line, id: Some(id), status: "queued", error: None }
    }

    pub(super) fn refused(line: u64, mut problem: Problem) -> Self {
        Self { line, id: problem.id.take(), status: "refused", error: Some(Box::new(problem)) }
    }
}

/// Room for results, until the client has them: in this answer, and among all that is in flight.
pub(super) struct Room {
    here: Option<OwnedSemaphorePermit>,
    everywhere: Held,
}

impl Room {
    /// Room for the results of so many lines: in their answer, which is this semaphore, and in memory.
    pub(super) async fn take(answer: &Arc<Semaphore>, memory: &Memory, lines: usize) -> Result<Self, Overloaded> {
        let most = (lines.max(1) * RESULT_MAX).min(memory.answer_max());
        let permits = u32::try_from(most).unwrap_or(u32::MAX);
        // It is never closed.
        let here = Arc::clone(answer).acquire_many_owned(permits).await.map_err(|_| Overloaded)?;
        let mut everywhere = memory.hold();
        everywhere.take(most).await?;
        Ok(Self { here: Some(here), everywhere })
    }

    /// No room, for a result that is short.
    pub(super) fn none(memory: &Memory) -> Self {
        Self { here: None, everywhere: memory.hold() }
    }
}

/// Results to be sent to the client.
pub(super) struct Text {
    text: Vec<u8>,
    _room: Room,
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

impl Text {
    /// The results, one per line, in the memory reserved for them; the rest of it is released.
    pub(super) fn of(results: &[LineResult], mut room: Room) -> Bytes {
        let mut text = Vec::with_capacity(results.len() * 96);
        for result in results {
            // A struct of texts and numbers always has a JSON form.
            if serde_json::to_writer(&mut text, result).is_ok() {
                text.push(b'\n');
            }
        }
        if let Some(here) = &mut room.here {
            drop(here.split(here.num_permits().saturating_sub(text.len())));
        }
        room.everywhere.keep(text.len());
        Bytes::from_owner(Self { text, _room: room })
    }
}
