//! The gate: closed while something that every post depends on is away.
//!
//! An outage is not a failure of the posts it hits. The first dependency failure closes the gate; posts in hand are
//! held, no attempt is spent, and a probe opens the gate again as soon as a post could be stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::failure::Failure;
use common::retry::RetryPolicy;
use common::store::{SchemaError, Store, advice};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How the probe waits: soon enough to resume within seconds, seldom enough not to hinder a database that is starting.
const PROBE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(4));
/// How often a long pause is said again.
const REMIND: Duration = Duration::from_secs(30);

/// Why and since when no posts are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// What is away: `mysql`.
    pub dependency: &'static str,
    /// The failure that closed the gate, or the latest one of the probe.
    pub failure: Failure,
    /// Since when, UTC.
    pub since: OffsetDateTime,
    /// The same by a clock that nobody sets.
    begun: tokio::time::Instant,
}

/// Open or closed, for all consumers of a process.
#[derive(Debug)]
pub struct Gate {
    state: watch::Sender<Option<Pause>>,
    /// Whether a post was stored since the gate was last opened. Without it an opening proves nothing, and the probe
    /// goes on waiting longer and longer.
    progressed: AtomicBool,
}

impl Default for Gate {
    fn default() -> Self {
        Self { state: watch::Sender::new(None), progressed: AtomicBool::new(true) }
    }
}

impl Gate {
    /// Closes it; while it is closed, only what is said about it changes.
    pub fn close(&self, failure: Failure) {
        self.state.send_if_modified(|state| match state {
            Some(pause) => {
                pause.failure = failure;
                false
            }
            None => {
                let advice = advice(&failure);
                tracing::warn!(code = %failure.code, error = %failure.message, advice, "paused: mysql");
                let (since, begun) = (OffsetDateTime::now_utc(), tokio::time::Instant::now());
                *state = Some(Pause { dependency: "mysql", failure, since, begun });
                true
            }
        });
        self.tell();
    }

    /// Opens it.
    fn open(&self) {
        self.progressed.store(false, Ordering::Relaxed);
        if let Some(pause) = self.state.send_replace(None) {
            tracing::info!(seconds = pause.begun.elapsed().as_secs_f64(), "resumed: mysql is back");
            self.tell();
        }
    }

    /// Sets the metrics.
    pub fn tell(&self) {
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

    /// Waits until it has been closed for so long without a break.
    pub async fn closed_for(&self, hold: Duration) {
        loop {
            self.closed().await;
            if tokio::time::timeout(hold, self.opened()).await.is_err() {
                return;
            }
        }
    }
}

/// Whether a program may change the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SchemaMode {
    /// Bring it up by ourselves.
    Auto,
    /// Refuse an old one.
    Off,
}

/// Opens the gate when posts can be stored again.
pub struct Probe {
    store: Arc<Store>,
    gate: Arc<Gate>,
    mode: SchemaMode,
    prepared: bool,
}

impl Probe {
    /// A probe for this gate.
    #[must_use]
    pub fn new(store: Arc<Store>, gate: Arc<Gate>, mode: SchemaMode) -> Self {
        Self { store, gate, mode, prepared: false }
    }

    /// Sees to the schema, once.
    ///
    /// # Errors
    /// [`SchemaError`].
    pub async fn prepare(&mut self) -> Result<(), SchemaError> {
        if !self.prepared {
            match self.mode {
                SchemaMode::Auto => {
                    let migrated = self.store.migrate().await?;
                    if !migrated.applied.is_empty() {
                        tracing::info!(version = migrated.version, applied = ?migrated.applied, "schema brought up");
                    }
                }
                SchemaMode::Off => self.store.check_schema().await?,
            }
            self.prepared = true;
        }
        Ok(())
    }

    async fn ask(&mut self) -> Result<(), Failure> {
        match self.prepare().await {
            Ok(()) => self.store.probe().await,
            Err(SchemaError::Store(error)) => Err(error.failure),
            Err(other) => Err(Failure::new(common::failure::Kind::Operator, "mysql_schema", other.to_string())),
        }
    }

    /// Watches the gate until the end.
    pub async fn run(mut self, end: CancellationToken) {
        let mut schedule = RetryPolicy::forever(PROBE.0, PROBE.1).schedule();
        loop {
            tokio::select! {
                () = end.cancelled() => return,
                () = self.gate.closed() => {}
            }
            if self.gate.progressed.load(Ordering::Relaxed) {
                schedule.reset();
            }
            let mut said = tokio::time::Instant::now();
            while let Some(pause) = self.gate.pause() {
                tokio::select! {
                    () = end.cancelled() => return,
                    () = tokio::time::sleep(schedule.next_wait(fastrand::f64())) => {}
                }
                // A stop does not wait for a server that hangs.
                let asked = tokio::select! {
                    () = end.cancelled() => return,
                    asked = self.ask() => asked,
                };
                match asked {
                    Ok(()) => self.gate.open(),
                    Err(failure) => {
                        if said.elapsed() > REMIND {
                            said = tokio::time::Instant::now();
                            let error = self.store.blame(failure.clone());
                            tracing::warn!(since = %pause.since, %error, "still paused: mysql");
                        }
                        self.gate.close(failure);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::failure::Kind;

    fn outage() -> Failure {
        Failure::new(Kind::Dependency, "mysql_unreachable", "gone")
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_shorter_than_the_hold_does_not_end_it() {
        let gate = Arc::new(Gate::default());
        let hold = Duration::from_secs(10);
        let watching = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.closed_for(hold).await }
        });
        for _ in 0..5 {
            gate.close(outage());
            tokio::time::sleep(hold - Duration::from_secs(1)).await;
            gate.open();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert!(!watching.is_finished());
        gate.close(outage());
        tokio::time::timeout(hold * 2, watching).await.expect("the hold is over").expect("no panic");
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
