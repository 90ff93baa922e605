//! The probe: tries a test row in MySQL while the gate is closed, and opens the gate when one succeeds.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sluice_core::disposition::{Blame, blame};
use sluice_core::failure::Failure;
use sluice_core::retry::RetryPolicy;
use sluice_mysql::{SchemaError, Store};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Gate;

/// How long the probe waits: short enough to resume within seconds, long enough not to burden a database that is
/// starting.
const PROBE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(4));
/// How often a long pause is logged again.
const REMIND: Duration = Duration::from_secs(30);

/// What a worker does with a schema that is older than its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SchemaMode {
    /// Upgrade the schema
    Auto,
    /// Refuse an old schema
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

    /// Checks or migrates the schema, once.
    ///
    /// # Errors
    /// [`SchemaError`].
    pub async fn prepare(&mut self) -> Result<(), SchemaError> {
        if !self.prepared {
            match self.mode {
                SchemaMode::Auto => {
                    let migrated = self.store.migrate().await?;
                    if !migrated.applied.is_empty() {
                        tracing::info!(version = migrated.version, applied = ?migrated.applied, "schema upgraded");
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
            Err(other) => Err(Failure::new(sluice_core::failure::Kind::Operator, "mysql_schema", other.to_string())),
        }
    }

    /// Watches the gate until `end`.
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
            let mut said = Instant::now();
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
                    // The table refuses only the test row, for a reason of its own; posts may still be accepted.
                    Err(failure) if blame(&pause.failure, &Err(failure.clone())) == Blame::Post => self.gate.open(),
                    Err(failure) => {
                        if said.elapsed() > REMIND {
                            said = Instant::now();
                            let error = self.store.with_context(failure.clone());
                            tracing::warn!(since = %pause.since, %error, "still paused: mysql");
                        }
                        self.gate.close(failure);
                    }
                }
            }
        }
    }
}
