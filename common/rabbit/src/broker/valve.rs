//! A bound on what is read from the broker before somebody takes it.
//!
//! The library reads whatever comes and keeps it until it is asked for. RabbitMQ limits the messages that a consumer
//! may have, and not their bytes (`prefetch_size` is refused, and so is a client's `channel.flow`). So whoever takes
//! messages of any size shuts this valve while they come: the wire then stops reading when so many bytes wait to be
//! taken, and TCP holds the rest back at the broker.
//!
//! While it is shut the broker's other answers wait too. It is therefore open whenever somebody waits for something.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Context;

use futures_util::task::AtomicWaker;

/// The valve of one connection.
#[derive(Debug)]
pub(crate) struct Valve {
    /// The most bytes that may wait while it is shut.
    most: usize,
    waiting: AtomicUsize,
    shut: AtomicBool,
    reader: AtomicWaker,
}

impl Valve {
    /// One that is open. Shut, it lets so many bytes through before they are taken.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, waiting: AtomicUsize::new(0), shut: AtomicBool::new(false), reader: AtomicWaker::new() }
    }

    /// Nothing waits any more; the count begins anew.
    pub(crate) fn reset(&self) {
        self.waiting.store(0, Ordering::Release);
        self.open();
    }

    /// Lets everything through.
    pub(crate) fn open(&self) {
        self.shut.store(false, Ordering::Release);
        self.reader.wake();
    }

    /// Lets no more through than may wait.
    pub(crate) fn shut(&self) {
        self.shut.store(true, Ordering::Release);
    }

    /// About so many of the bytes that wait were taken.
    pub(crate) fn take(&self, bytes: usize) {
        let less = |waiting: usize| Some(waiting.saturating_sub(bytes));
        let _ = self.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        self.reader.wake();
    }

    /// So many bytes were read.
    pub(super) fn came(&self, bytes: usize) {
        self.waiting.fetch_add(bytes, Ordering::AcqRel);
    }

    /// Whether more may be read; if not, the caller is woken when it may.
    pub(super) fn lets(&self, cx: &Context<'_>) -> bool {
        if self.is_open() {
            return true;
        }
        self.reader.register(cx.waker());
        self.is_open()
    }

    fn is_open(&self) -> bool {
        !self.shut.load(Ordering::Acquire) || self.waiting.load(Ordering::Acquire) < self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    #[test]
    fn a_shut_valve_lets_no_more_through_than_may_wait_and_an_open_one_everything() {
        let (valve, cx) = (Valve::new(10), Context::from_waker(Waker::noop()));
        valve.came(100);
        assert!(valve.lets(&cx));
        valve.shut();
        assert!(!valve.lets(&cx));
        valve.take(91);
        assert!(valve.lets(&cx), "there is room for one more byte");
        valve.came(5);
        assert!(!valve.lets(&cx));
        valve.reset();
        valve.shut();
        assert!(valve.lets(&cx));
    }
}
