//! Limits the memory that clients can use: the bytes of all request bodies and responses in flight together.
//!
//! A body reserves memory as it arrives, not by its declared length, so that declaring a length costs others nothing.
//! One eighth is reserved for the beginnings of single posts: however many large bodies and unread responses there are,
//! posts of the usual size are still accepted.

use std::sync::Arc;
use std::time::Duration;

use metrics::Gauge;
use sluice_runtime::health::{Problem, Seldom};
use tokio::sync::Semaphore;

/// The beginning of a body that may use the reserve, in bytes.
const BEGINNING: usize = 16 * 1024;
/// How long a batch waits for memory before it ends.
const WAIT: Duration = Duration::from_secs(5);
/// The part that is reserved for the beginnings of single posts.
const RESERVE: usize = 8;

/// The bytes that may be in flight. Cheap to clone.
#[derive(Clone)]
pub struct Memory(Arc<Parts>);

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
        Self(Arc::new(Parts {
            total,
            general: Semaphore::new(total - reserve),
            reserve: Semaphore::new(reserve),
            seldom: Seldom::default(),
            meter: metrics::gauge!(NAME),
        }))
    }

    /// An empty reservation.
    #[must_use]
    pub fn hold(&self) -> Held {
        Held { memory: self.clone(), general: 0, reserve: 0 }
    }

    /// The most that is buffered of one batch's response: enough for the results of the longest batch if all lines are
    /// accepted.
    #[must_use]
    pub fn answer_max(&self) -> usize {
        self.0.total / RESERVE
    }

    fn refuse(&self) -> Overloaded {
        let bytes = self.0.total;
        self.0.seldom.happened(move |times| {
            tracing::warn!(
                times,
                bytes,
                "refused with 503 `overloaded`: the limit SLUICE_MEMORY on bytes in flight is reached"
            );
        });
        Overloaded
    }

    fn measure(&self) {
        let free = self.0.general.available_permits() + self.0.reserve.available_permits();
        self.0.meter.set(self.0.total.saturating_sub(free) as f64);
    }
}

/// The memory that one request has reserved. It is released when this is dropped.
pub struct Held {
    memory: Memory,
    general: usize,
    reserve: usize,
}

impl Held {
    /// Reserves more for a single post, if available now; its beginning may use the reserve.
    ///
    /// # Errors
    /// [`Overloaded`].
    pub fn take_for_post(&mut self, bytes: usize) -> Result<(), Overloaded> {
        if self.general + self.reserve + bytes <= BEGINNING
            && let Ok(taken) = self.memory.0.reserve.try_acquire_many(permits(bytes))
        {
            taken.forget();
            self.reserve += bytes;
            self.memory.measure();
            return Ok(());
        }
        self.take_now(bytes)
    }

    /// Reserves more, if available now.
    ///
    /// # Errors
    /// [`Overloaded`].
    pub fn take_now(&mut self, bytes: usize) -> Result<(), Overloaded> {
        self.memory.0.general.try_acquire_many(permits(bytes)).map_err(|_| self.memory.refuse())?.forget();
        self.general += bytes;
        self.memory.measure();
        Ok(())
    }

    /// Reserves more for a batch, and waits for a while if necessary.
    ///
    /// # Errors
    /// [`Overloaded`], if none became available.
    pub async fn take(&mut self, bytes: usize) -> Result<(), Overloaded> {
        let room = self.memory.0.general.acquire_many(permits(bytes));
        match tokio::time::timeout(WAIT, room).await {
            Ok(Ok(taken)) => taken.forget(),
            _ => return Err(self.memory.refuse()),
        }
        self.general += bytes;
        self.memory.measure();
        Ok(())
    }

    /// Releases everything above this.
    pub fn keep(&mut self, bytes: usize) {
        let kept = bytes.min(self.general);
        self.memory.0.general.add_permits(self.general - kept);
        self.general = kept;
        self.memory.measure();
    }
}

fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.0.general.add_permits(self.general);
        self.memory.0.reserve.add_permits(self.reserve);
        self.memory.measure();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_large_bodies_fill_is_not_the_room_of_small_ones() {
        let memory = Memory::new(800_000);
        let mut large = memory.hold();
        while large.take_now(100_000).is_ok() {}
        assert_eq!(large.general, 700_000);
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

    #[tokio::test]
    async fn all_of_it_comes_back() {
        let memory = Memory::new(80_000);
        for _ in 0..1000 {
            let mut held = memory.hold();
            held.take_for_post(9000).expect("there is room");
            held.take_for_post(20_000).expect("there is room");
        }
        assert_eq!((memory.0.general.available_permits(), memory.0.reserve.available_permits()), (70_000, 10_000));
    }
}
