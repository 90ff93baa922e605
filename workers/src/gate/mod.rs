//! The gate: closed while no post can be stored.
//!
//! An outage is not a failure of the posts it affects. If a test row fails too, the first failure closes the gate;
//! posts in flight are held, no attempts are counted, and a probe opens the gate again as soon as a test row succeeds.
//!
//! If the gate is opened and soon closed again, it counts as not opened: the pause continues from its beginning.

mod probe;

pub use probe::{Probe, SchemaMode};

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sluice_core::failure::Failure;
use sluice_mysql::advice;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::Instant;

/// How long the gate has to stay open for a pause to be over: longer than a statement takes to time out, including the
/// test row that follows.
const STEADY: Duration = Duration::from_secs(10);
/// Why and since when no posts are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// What is down: `mysql`.
    pub dependency: &'static str,
    /// The failure that closed the gate, or the latest one of the probe.
    pub failure: Failure,
    /// Since when, UTC; short openings are part of it.
    pub since: OffsetDateTime,
    /// The same by a monotonic clock.
    begun: Instant,
}

/// Open or closed, for all consumers of a process.
#[derive(Debug)]
pub struct Gate {
    state: watch::Sender<Option<Pause>>,
    /// The latest pause that the gate was opened after, and when.
    before: Mutex<Option<(Pause, Instant)>>,
    /// Whether a post was stored since the gate was last opened. Without one, an opening proves nothing, and the
    /// probe's waits keep growing.
    progressed: AtomicBool,
}

impl Default for Gate {
    fn default() -> Self {
        Self { state: watch::Sender::new(None), before: Mutex::default(), progressed: AtomicBool::new(true) }
    }
}

impl Gate {
    /// Closes it; if it is already closed, only the reason is updated.
    pub fn close(&self, failure: Failure) {
        let closed = self.state.send_if_modified(|state| match state {
            Some(pause) => {
                pause.failure = failure.clone();
                false
            }
            None => {
                let (since, begun) = self.begun();
                *state = Some(Pause { dependency: "mysql", failure: failure.clone(), since, begun });
                true
            }
        });
        self.report();
        if closed {
            let advice = advice(&failure);
            tracing::warn!(code = %failure.code, error = %failure.message, advice, "paused: mysql");
        }
    }

    /// When a pause began that is noticed now.
    fn begun(&self) -> (OffsetDateTime, Instant) {
        match &*self.before() {
            Some((pause, opened)) if opened.elapsed() < STEADY => (pause.since, pause.begun),
            _ => (OffsetDateTime::now_utc(), Instant::now()),
        }
    }

    fn before(&self) -> MutexGuard<'_, Option<(Pause, Instant)>> {
        // Nothing in here can panic halfway.
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens it.
    fn open(&self) {
        self.progressed.store(false, Ordering::Relaxed);
        if let Some(pause) = self.state.send_replace(None) {
            *self.before() = Some((pause.clone(), Instant::now()));
            self.report();
            tracing::info!(seconds = pause.begun.elapsed().as_secs_f64(), "resumed: mysql is back");
        }
    }

    /// Sets the metrics.
    pub fn report(&self) {
        let since = self.state.borrow().as_ref().map(|pause| pause.since.unix_timestamp());
        metrics::gauge!("sluice_worker_paused", "dependency" => "mysql").set(u8::from(since.is_some()));
        let since = since.unwrap_or(0) as f64;
        metrics::gauge!("sluice_worker_paused_since_timestamp_seconds", "dependency" => "mysql").set(since);
    }

    /// A post was stored.
    pub fn progress(&self) {
        if !self.progressed.load(Ordering::Relaxed) {
            self.progressed.store(true, Ordering::Relaxed);
        }
    }

    /// Why it is closed, if it is.
    #[must_use]
    pub fn pause(&self) -> Option<Pause> {
        self.state.borrow().clone()
    }

    /// Waits until it is open.
    pub async fn opened(&self) {
        if self.state.borrow().is_none() {
            return;
        }
        // The sender lives as long as this gate, so the wait ends only by an opening.
        let _ = self.state.subscribe().wait_for(Option::is_none).await;
    }

    /// Waits until it is closed.
    pub async fn closed(&self) {
        let _ = self.state.subscribe().wait_for(Option::is_some).await;
    }

    /// Waits until it is closed and a pause has lasted so long; the part before `from` does not count.
    pub async fn closed_for(&self, hold: Duration, from: Instant) {
        loop {
            self.closed().await;
            let Some(pause) = self.pause() else { continue };
            let over = pause.begun.max(from) + hold;
            if tokio::time::timeout_at(over, self.opened()).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use sluice_core::failure::Kind;

    fn outage() -> Failure {
        Failure::new(Kind::Dependency, "mysql_unreachable", "gone")
    }

    /// Closes the gate for `closed` and opens it for `open`, six times. Returns whether the hold was over before the
    /// end, and when the last pause began.
    async fn flapping(closed: Duration, open: Duration, hold: Duration) -> (bool, Duration) {
        let (gate, begun) = (Arc::new(Gate::default()), Instant::now());
        let watching = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.closed_for(hold, begun).await }
        });
        let mut since = begun;
        for _ in 0..6 {
            gate.close(outage());
            tokio::time::sleep(closed).await;
            since = gate.pause().expect("it is closed").begun;
            gate.open();
            gate.progress();
            tokio::time::sleep(open).await;
        }
        (watching.is_finished(), since - begun)
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_shorter_than_the_hold_does_not_end_it() {
        let hold = Duration::from_secs(10);
        let (over, since) = flapping(hold - Duration::from_secs(1), STEADY, hold).await;
        assert!(!over);
        assert_eq!(since, (hold - Duration::from_secs(1) + STEADY) * 5, "each was a pause of its own");
        let gate = Gate::default();
        gate.close(outage());
        let holding = gate.closed_for(hold, Instant::now());
        tokio::time::timeout(hold * 2, holding).await.expect("the hold is over");
    }

    #[tokio::test(start_paused = true)]
    async fn a_gate_that_is_opened_and_closed_again_and_again_counts_as_closed() {
        let (hold, second) = (Duration::from_secs(10), Duration::from_secs(1));
        assert_eq!(flapping(second, second, hold).await, (true, Duration::ZERO), "in six flaps of two seconds");
        assert_eq!(flapping(second, second, hold * 2).await, (false, Duration::ZERO), "the hold is not over");
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_begins_in_a_flap_holds_as_long_as_any_other() {
        let (gate, hold) = (Gate::default(), Duration::from_secs(10));
        gate.close(outage());
        tokio::time::sleep(hold * 3).await;
        gate.open();
        let begun = Instant::now();
        gate.close(outage());
        gate.closed_for(hold, begun).await;
        assert_eq!(begun.elapsed(), hold);
    }

    #[tokio::test]
    async fn the_first_failure_says_since_when() {
        let gate = Gate::default();
        gate.close(outage());
        let first = gate.pause().expect("it is closed");
        gate.close(Failure::new(Kind::Dependency, "mysql_1040", "too many connections"));
        let second = gate.pause().expect("it is still closed");
        assert_eq!((first.since, "mysql_1040"), (second.since, second.failure.code.as_str()));
    }
}
