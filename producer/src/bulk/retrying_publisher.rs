//! Publishes chunks of posts and retries: what was not confirmed is sent again with the same ids, until it is confirmed
//! or there has been no progress for too long.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sluice_core::retry::RetryPolicy;
use sluice_rabbit::publisher::{PublishError, Publisher};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::bulk::chunk::Chunk;
use crate::bulk::progress::Progress;
use crate::topology_status;

/// The first and the longest wait between two tries.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Publishes chunks, several at a time.
pub struct RetryingPublisher {
    publisher: Publisher,
    patience: Duration,
    progress: Progress,
    /// Start no new tries: finish the current one.
    halt: CancellationToken,
    /// When a post was last confirmed.
    last_confirm: Mutex<Instant>,
    /// The current error was reported.
    told: AtomicBool,
}

impl RetryingPublisher {
    /// A retrying publisher that gives up after so long without progress.
    #[must_use]
    pub fn new(publisher: Publisher, patience: Duration, progress: Progress, halt: CancellationToken) -> Self {
        let (last_confirm, told) = (Mutex::new(Instant::now()), AtomicBool::new(false));
        Self { publisher, patience, progress, halt, last_confirm, told }
    }

    /// Publishes a chunk. Posts that could not be published are left unconfirmed, with the error.
    pub async fn carry(&self, mut chunk: Chunk) -> Chunk {
        let begun = Instant::now();
        let mut waits = RetryPolicy::forever(WAITS.0, WAITS.1).schedule();
        while !chunk.waiting.is_empty() {
            let before = chunk.waiting.len();
            let Some(error) = self.attempt(&mut chunk).await else { break };
            if chunk.waiting.len() < before {
                self.progressed();
                waits.reset();
            }
            let last = *self.last_confirm.lock().unwrap_or_else(PoisonError::into_inner);
            let left = self.patience.saturating_sub(last.max(begun).elapsed());
            self.report(&error);
            if matches!(error, PublishError::Unroutable(_)) {
                // Somebody deleted a queue. If it cannot be declared again, the next try says so too.
                let _ = self.publisher.declare().await;
            }
            chunk.error = Some(error);
            let wait = waits.next_wait(fastrand::f64()).min(left);
            let halted = tokio::time::timeout(wait, self.halt.cancelled()).await.is_ok();
            if halted || left.is_zero() {
                return chunk;
            }
        }
        self.progressed();
        Chunk { error: None, ..chunk }
    }

    /// Publishes what waits, once. Returns the last error, if any.
    async fn attempt(&self, chunk: &mut Chunk) -> Option<PublishError> {
        let (places, messages): (Vec<_>, Vec<_>) = std::mem::take(&mut chunk.waiting).into_iter().unzip();
        let answers = self.publisher.publish_batch(&messages).await;
        let mut worst = None;
        for ((place, message), answer) in places.into_iter().zip(messages).zip(answers) {
            match answer {
                Ok(()) => chunk.posts[place].confirmed = true,
                Err(error) => {
                    // Of several errors, the one that can be acted on.
                    worst = worst.filter(|first| matches!(first, PublishError::Unroutable(_))).or(Some(error));
                    chunk.waiting.push((place, message));
                }
            }
        }
        worst
    }

    fn progressed(&self) {
        *self.last_confirm.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.told.store(false, Ordering::Relaxed);
    }

    /// Reports an error once, not at each try and for each chunk.
    fn report(&self, error: &PublishError) {
        if !self.told.swap(true, Ordering::Relaxed) {
            self.progress.say(&topology_status::waiting(error, self.patience));
        }
    }
}
