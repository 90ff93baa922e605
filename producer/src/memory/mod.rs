//! Limits the memory that clients can use: the bytes of all request bodies and responses in flight together.
//!
//! A body reserves memory as it arrives, not by its declared length, so that declaring a length costs others nothing.
//! One eighth is reserved for the beginnings of single posts: however many large bodies and unread responses there are,
//! posts of the usual size are still accepted.
//!
//! Where there are senders, none of them can reserve more than half: what one of them does, with however many
//! connections, leaves the other half to the rest.

mod held;

use std::sync::Arc;

use metrics::Gauge;
use sluice_runtime::health::{Problem, Seldom};
use tokio::sync::{Semaphore, SemaphorePermit};

pub use held::Held;
use held::permits;

/// The part that is reserved for the beginnings of single posts.
const RESERVE: usize = 8;
/// The part that one sender may reserve.
const SHARE: usize = 2;

/// The bytes that may be in flight. Cheap to clone.
#[derive(Clone)]
pub struct Memory {
    all: Arc<Parts>,
    /// What one sender may reserve of it, of whoever has one.
    share: Option<Arc<Semaphore>>,
}

struct Parts {
    total: usize,
    general: Semaphore,
    reserve: Semaphore,
    seldom: Seldom,
    meter: Gauge,
}

/// The limit on bytes in flight is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the limit on bytes in flight is reached")]
pub struct Overloaded;

impl From<Overloaded> for Problem {
    fn from(overloaded: Overloaded) -> Self {
        Self::overloaded(format!("{overloaded}; try again later"))
    }
}

impl Memory {
    /// At most so many bytes.
    #[must_use]
    pub fn new(total: usize) -> Self {
        const NAME: &str = "sluice_producer_bytes_in_flight";
        metrics::describe_gauge!(NAME, "Bytes of request bodies and responses in flight");
        let total = total.min(Semaphore::MAX_PERMITS);
        let reserve = total / RESERVE;
        let parts = Parts {
            total,
            general: Semaphore::new(total - reserve),
            reserve: Semaphore::new(reserve),
            seldom: Seldom::default(),
            meter: metrics::gauge!(NAME),
        };
        Self { all: Arc::new(parts), share: None }
    }

    /// The same bytes for one sender: half of them at most, at once.
    #[must_use]
    pub fn of_one_sender(&self) -> Self {
        let share = Semaphore::new(self.all.total / SHARE);
        Self { all: Arc::clone(&self.all), share: Some(Arc::new(share)) }
    }

    /// An empty reservation.
    #[must_use]
    pub fn hold(&self) -> Held {
        Held::nothing(self)
    }

    /// The most that is buffered of one batch's response: enough for the results of the longest batch if all lines are
    /// accepted.
    #[must_use]
    pub fn answer_max(&self) -> usize {
        self.all.total / RESERVE
    }

    fn refuse(&self) -> Overloaded {
        let bytes = self.all.total;
        self.all.seldom.happened(move |times| {
            tracing::warn!(
                times,
                bytes,
                "refused with 503 `overloaded`: the limit SLUICE_MEMORY on bytes in flight is reached"
            );
        });
        Overloaded
    }

    /// Keeps these bytes, and as many of the sender's share, or neither.
    fn keep_both(&self, taken: Option<SemaphorePermit<'_>>, bytes: usize) -> Result<(), Overloaded> {
        let taken = taken.ok_or_else(|| self.refuse())?;
        if let Some(share) = &self.share {
            share.try_acquire_many(permits(bytes)).map_err(|_| self.refuse())?.forget();
        }
        taken.forget();
        Ok(())
    }

    fn give_back(&self, general: usize, reserve: usize) {
        self.all.general.add_permits(general);
        self.all.reserve.add_permits(reserve);
        if let Some(share) = &self.share {
            share.add_permits(general + reserve);
        }
    }

    fn measure(&self) {
        let Parts { total, general, reserve, meter, .. } = &*self.all;
        let free = general.available_permits() + reserve.available_permits();
        meter.set(total.saturating_sub(free) as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::held::BEGINNING;
    use super::*;

    #[tokio::test]
    async fn what_large_bodies_fill_is_not_the_room_of_small_ones() {
        let memory = Memory::new(800_000);
        let mut large = memory.hold();
        assert_eq!((0..20).take_while(|_| large.take_now(100_000).is_ok()).count(), 7);
        let mut small = memory.hold();
        assert_eq!((small.take_for_post(500), small.take_for_post(BEGINNING)), (Ok(()), Err(Overloaded)));
        drop(large);
        assert_eq!(small.take_for_post(BEGINNING), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_waits_for_room_and_then_gives_up() {
        let memory = Memory::new(80_000);
        let (mut one, mut other) = (memory.hold(), memory.hold());
        assert_eq!(one.take(60_000).await, Ok(()));
        assert_eq!(other.take(60_000).await, Err(Overloaded));
        one.keep(1000);
        assert_eq!(other.take(60_000).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sender_takes_no_more_than_half_and_leaves_the_rest_to_others() {
        let all = Memory::new(800_000);
        let (greedy, other) = (all.of_one_sender(), all.of_one_sender());
        let mut posts: Vec<Held> = Vec::new();
        while posts.len() < 1000 {
            let mut post = greedy.hold();
            if post.take_for_post(10_000).is_err() {
                break;
            }
            posts.push(post);
        }
        assert_eq!(posts.len(), 40);
        let mut batch = greedy.hold();
        assert_eq!((batch.take_now(1), batch.take(1).await), (Err(Overloaded), Err(Overloaded)));
        let mut others = other.hold();
        assert_eq!((others.take_for_post(500), others.take(390_000).await), (Ok(()), Ok(())));
        posts.pop();
        assert_eq!(batch.take_now(9000), Ok(()), "what comes back can be used again");
    }

    #[tokio::test]
    async fn all_of_it_comes_back() {
        let memory = Memory::new(80_000).of_one_sender();
        for _ in 0..1000 {
            let mut held = memory.hold();
            held.take_for_post(9000).expect("there is room");
            held.take_for_post(20_000).expect("there is room");
        }
        assert_eq!((memory.all.general.available_permits(), memory.all.reserve.available_permits()), (70_000, 10_000));
    }
}
