//! How many connections are open, and which of them may be closed to make room.
//!
//! A connection is *silent* while no request of it is being answered: it has sent nothing yet, a part of a request's
//! head, or is kept alive for the next request. When as many are open as may be, the one that has been silent for the
//! longest is closed for a new one, so that clients that only hold connections do not lock out others. When none is
//! silent, the new one is refused.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio_util::sync::CancellationToken;

/// All open connections of one port.
pub(super) struct Crowd {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: usize,
    /// The place of the next connection that falls silent.
    next: u64,
    /// Those that are silent, the longest first.
    silent: BTreeMap<u64, CancellationToken>,
}

impl State {
    fn falls_silent(&mut self, evicted: &CancellationToken) -> u64 {
        self.next += 1;
        self.silent.insert(self.next, evicted.clone());
        self.next
    }
}

impl Crowd {
    /// No connections yet; at most so many.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::default() })
    }

    /// A new connection, and whether another one was closed for it. `None`: there is no room.
    pub(super) fn enter(self: &Arc<Self>) -> Option<(Arc<Visit>, bool)> {
        let mut state = self.state();
        let full = state.open >= self.most;
        if full {
            let (_, evicted) = state.silent.pop_first()?;
            evicted.cancel();
        } else {
            state.open += 1;
        }
        let evicted = CancellationToken::new();
        let place = AtomicU64::new(state.falls_silent(&evicted));
        let (crowd, requests, late) = (Arc::clone(self), AtomicU64::new(0), OnceLock::new());
        Some((Arc::new(Visit { crowd, place, requests, evicted, late }), full))
    }

    /// Closes all that are silent.
    pub(super) fn clear(&self) {
        let mut state = self.state();
        state.open -= state.silent.len();
        std::mem::take(&mut state.silent).into_values().for_each(|evicted| evicted.cancel());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One open connection.
pub(super) struct Visit {
    crowd: Arc<Crowd>,
    /// Its place among the silent; 0 while a request of it is being answered.
    place: AtomicU64,
    requests: AtomicU64,
    evicted: CancellationToken,
    late: OnceLock<Late>,
}

/// What a client did not do in time.
#[derive(Debug, Clone, Copy)]
pub(super) enum Late {
    /// Send a whole request.
    Request,
    /// Read its answer.
    Reading,
}

impl Visit {
    /// Cancelled when it has to make room.
    pub(super) fn evicted(&self) -> &CancellationToken {
        &self.evicted
    }

    /// Whether a request of it is being answered.
    pub(super) fn busy(&self) -> bool {
        self.place.load(Ordering::Acquire) == 0
    }

    /// How many requests it has made.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Acquire)
    }

    /// What it did not do in time, so that it was closed.
    pub(super) fn late(&self) -> Option<Late> {
        self.late.get().copied()
    }

    /// It did not do this in time.
    pub(super) fn is_late(&self, late: Late) {
        let _ = self.late.set(late);
    }

    /// A request of it is being answered until what this gives is dropped.
    pub(super) fn request(self: &Arc<Self>) -> Answering {
        let mut state = self.crowd.state();
        state.silent.remove(&self.place.swap(0, Ordering::AcqRel));
        self.requests.fetch_add(1, Ordering::AcqRel);
        Answering(Arc::clone(self))
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut state = self.crowd.state();
        state.silent.remove(&self.place.load(Ordering::Acquire));
        // The connection for which it made room has taken its place in the count.
        if !self.evicted.is_cancelled() {
            state.open -= 1;
        }
    }
}

/// A request that is being answered.
pub(super) struct Answering(Arc<Visit>);

impl Drop for Answering {
    fn drop(&mut self) {
        let visit = &self.0;
        let mut state = visit.crowd.state();
        if !visit.evicted.is_cancelled() {
            visit.place.store(state.falls_silent(&visit.evicted), Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_been_silent_for_the_longest_makes_room() {
        let crowd = Crowd::new(2);
        let (first, evicted) = crowd.enter().expect("there is room");
        assert!(!evicted);
        let (second, _) = crowd.enter().expect("there is room");
        drop(first.request());
        let (third, evicted) = crowd.enter().expect("one makes room");
        assert!(evicted && second.evicted().is_cancelled() && !first.evicted().is_cancelled());
        drop((first, second, third));
        assert_eq!(crowd.state().open, 0);
    }

    #[test]
    fn who_is_being_answered_is_never_closed_for_another() {
        let crowd = Crowd::new(1);
        let (only, _) = crowd.enter().expect("there is room");
        let answering = only.request();
        assert!(only.busy() && crowd.enter().is_none());
        drop(answering);
        assert!(!only.busy() && crowd.enter().is_some());
    }

    #[test]
    fn the_count_stays_true_whoever_leaves_first() {
        let crowd = Crowd::new(1);
        for _ in 0..3 {
            let (one, _) = crowd.enter().expect("there is room, or one makes room");
            let (other, evicted) = crowd.enter().expect("one makes room");
            assert!(evicted);
            drop(other);
            drop(one);
            assert_eq!(crowd.state().open, 0);
        }
        let _silent = crowd.enter().expect("there is room");
        crowd.clear();
        assert_eq!(crowd.state().open, 0);
    }
}
