//! Operations that this console runs or has run, for all who look at them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::dlq::report::progress::Progress;
use crate::dlq::report::wording::Wording;

/// How many are remembered.
const MOST: usize = 50;

/// One operation.
#[derive(Clone)]
pub(crate) struct Running {
    /// Its id in the audit log.
    pub(crate) id: String,
    /// What it does: `replay`.
    pub(crate) kind: &'static str,
    /// Who began it.
    pub(crate) by: String,
    /// When, UTC.
    pub(crate) begun_at: OffsetDateTime,
    /// The selection, for people.
    pub(crate) words: String,
    /// How it goes.
    pub(crate) progress: Arc<Progress>,
    /// Stops it between two batches.
    pub(crate) stop: CancellationToken,
}

impl Running {
    /// One that begins now, under the id of its audit log.
    pub(crate) fn new(id: String, wording: &Wording, by: String, words: String, stop: CancellationToken) -> Self {
        let (begun_at, progress) = (OffsetDateTime::now_utc(), Arc::new(Progress::default()));
        Self { id, kind: wording.kind.as_str(), by, begun_at, words, progress, stop }
    }
}

/// The operations of this console, the latest last.
#[derive(Default)]
pub(crate) struct Work(Mutex<VecDeque<Running>>);

impl Work {
    /// One more. The oldest that is over is forgotten where there are many.
    pub(crate) fn add(&self, running: Running) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST
            && let Some(over) = all.iter().position(|running| running.progress.now().is_over)
        {
            all.remove(over);
        }
        all.push_back(running);
    }

    /// The operation of this id.
    pub(crate) fn of(&self, id: &str) -> Option<Running> {
        self.all().into_iter().find(|running| running.id == id)
    }

    /// All of them, the latest first.
    pub(crate) fn all(&self) -> Vec<Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }
}
