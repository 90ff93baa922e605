//! A request of a sender that is worked on.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use sluice_core::name::SenderName;
use sluice_runtime::health::Problem;
use tokio::sync::OwnedSemaphorePermit;

use super::sender::Sender;
use crate::memory::Memory;

/// How soon a sender with too many requests in progress may retry.
const COME_BACK: Duration = Duration::from_secs(1);

/// A request of a sender, in one of its slots. The first post is paid for.
pub struct Admitted {
    sender: Arc<Sender>,
    _slot: OwnedSemaphorePermit,
}

impl Admitted {
    pub(super) fn new(sender: &Arc<Sender>) -> Result<Self, Problem> {
        let slot = Arc::clone(&sender.slots).try_acquire_owned().map_err(|_| too_many_at_once())?;
        let admitted = Self { sender: Arc::clone(sender), _slot: slot };
        admitted.pay()?;
        Ok(admitted)
    }

    /// Pays for another post of the same request.
    ///
    /// # Errors
    /// 429 when the sender is faster than its rate.
    pub fn pay(&self) -> Result<(), Problem> {
        let Some(bucket) = &self.sender.bucket else { return Ok(()) };
        bucket.take().map_err(|wait| {
            self.sender.limited.increment(1);
            over_rate(wait)
        })
    }

    /// Counts accepted posts.
    pub fn accepted(&self, posts: u64) {
        self.sender.accepted.increment(posts);
    }

    /// The sender's name, for its posts and its keys.
    #[must_use]
    pub fn name(&self) -> &SenderName {
        self.sender.name()
    }

    /// The bytes that the sender may have in flight.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.sender.memory
    }
}

/// No token, or nobody's. The two are not told apart: it would help only those who try tokens.
pub(super) fn unknown() -> Problem {
    let detail = "send the header `Authorization: Bearer TOKEN` with the token of a sender";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "Unknown sender", detail)
}

fn over_rate(wait: Duration) -> Problem {
    // Whoever comes back a moment too early would only be refused again.
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let detail = format!("this sender is faster than its rate; try again in {seconds} s");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate-limited", "Too many posts", detail)
        .with("retry_after", seconds)
        .retry_after(Duration::from_secs(seconds))
}

fn too_many_at_once() -> Problem {
    let detail = "this sender has as many requests in progress as it may have; wait for some of them";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-at-once", "Too many requests at once", detail)
        .retry_after(COME_BACK)
}
