//! Limits what large messages may use of a process at the same time, so that small ones are not delayed and memory is
//! bounded.
//!
//! A long review on a thread of the runtime would hold up heartbeats, timeouts and all other posts. It runs outside the
//! runtime, on so many threads that one processor remains for everything else. A large message that is published again,
//! mostly as a dead letter, is in memory twice, so there is only one such copy at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use sluice_core::failure::Failure;
use sluice_core::post::Post;
use sluice_core::verdict::Review;
use sluice_runtime::failpoint;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::rules::Rules;

/// From how many bytes of text a review is long: it takes a few milliseconds.
const LONG_REVIEW_BYTES: usize = 16 * 1024;
/// From how many bytes a message is large.
const LARGE_MESSAGE_BYTES: usize = 1024 * 1024;

/// The slots for large messages.
#[derive(Debug)]
pub struct Large {
    reviews: Semaphore,
    copies: Semaphore,
}

impl Default for Large {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { reviews: Semaphore::new(processors.saturating_sub(1).max(1)), copies: Semaphore::new(1) }
    }
}

impl Large {
    /// Reviews a post by the rules. A review that panics fails this post, not the process.
    ///
    /// # Errors
    /// The panic.
    pub async fn review(&self, rules: &Arc<Rules>, post: &Post) -> Result<Review, Failure> {
        if post.title.len() + post.content.len() < LONG_REVIEW_BYTES {
            return reviewed(rules, post);
        }
        // The semaphore is never closed.
        let _place = self.reviews.acquire().await;
        let (rules, post) = (Arc::clone(rules), post.clone());
        let done = tokio::task::spawn_blocking(move || reviewed(&rules, &post)).await;
        // Panics are caught inside, so only the end of the runtime remains.
        done.unwrap_or_else(|gone| Err(Failure::panicked("review", &gone.to_string())))
    }

    /// Waits for the slot for a copy of so many bytes, if it is large.
    pub async fn copy(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        if bytes < LARGE_MESSAGE_BYTES { None } else { self.copies.acquire().await.ok() }
    }
}

fn reviewed(rules: &Rules, post: &Post) -> Result<Review, Failure> {
    catch_unwind(AssertUnwindSafe(|| {
        failpoint::reach(failpoint::REVIEW);
        failpoint::reach_with(failpoint::REVIEW, &post.title);
        rules.review(post)
    }))
    .map_err(|panic| Failure::panicked("review", &*panic))
}
