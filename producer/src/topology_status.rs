//! Whether the queues are declared as this program expects.
//!
//! ```text
//!  Trying ──declared──► Declared            posts are accepted
//!    │ ▲
//!    ▼ │ backoff
//!  Refused                                  posts get 503 and this reason
//! ```
//!
//! Until they have been declared once, no post is published: a queue declared by somebody else, with other arguments,
//! might drop it. Later changes are detected by [`crate::http::watch`].

use std::time::Duration;

use sluice_core::retry::RetryPolicy;
use sluice_rabbit::broker::{self, Broker, BrokerError};
use sluice_rabbit::topology::{Topology, TopologyError};
use tokio::sync::watch;
use tokio::time::Instant;

/// The first and the longest wait between two tries.
const WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(3));

/// The state of the declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopologyStatus {
    /// The broker has not answered yet.
    Trying,
    /// The last try failed. The next one follows.
    Refused(DeclareError),
    /// The queues are declared.
    Declared,
}

impl TopologyStatus {
    /// Whether posts can be published.
    ///
    /// # Errors
    /// The reason why not.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Declared => Ok(()),
            Self::Trying => Err("RabbitMQ has not answered yet; is it running? AMQP_URL sets the address".to_owned()),
            Self::Refused(error) => Err(error.to_string()),
        }
    }
}

/// Why the queues could not be declared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeclareError {
    /// The broker cannot be used.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// Its queues are declared differently.
    #[error(transparent)]
    Topology(TopologyError),
}

impl DeclareError {
    /// Whether an operator must change something before another try can succeed.
    #[must_use]
    pub fn needs_operator(&self) -> bool {
        match self {
            Self::Broker(error) => error.needs_operator(),
            Self::Topology(TopologyError::Drift(_)) => true,
            Self::Topology(TopologyError::Failed(_)) => false,
        }
    }

    /// Logs it, as an error if it needs an operator.
    pub fn log(&self) {
        if self.needs_operator() {
            tracing::error!(error = %self, "no posts are accepted until this is fixed");
        } else {
            tracing::warn!(error = %self, "no posts are accepted yet; retrying");
        }
    }
}

/// Declares the queues, once.
///
/// # Errors
/// [`DeclareError`].
pub async fn declare(broker: &Broker, topology: &Topology) -> Result<(), DeclareError> {
    let connection = broker.connect().await?;
    let declared = topology.declare(&connection).await;
    broker::close(&connection).await;
    declared.map_err(|error| match error {
        // With the address, and the advice that goes with the failure.
        TopologyError::Failed(failure) => broker.with_context(failure).into(),
        drift @ TopologyError::Drift(_) => DeclareError::Topology(drift),
    })
}

/// Declares the queues, and retries for so long while the broker is down. `say` is called once with the reason for the
/// wait.
///
/// # Errors
/// [`DeclareError`]: immediately if it needs an operator, otherwise the last one when the patience is used up.
pub async fn declare_within(
    patience: Duration,
    broker: &Broker,
    topology: &Topology,
    say: impl Fn(&str),
) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut waits = RetryPolicy::forever(WAITS.0, WAITS.1).schedule();
    let mut told = false;
    loop {
        let error = match declare(broker, topology).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let left = patience.saturating_sub(begun.elapsed());
        if error.needs_operator() {
            return Err(error.into());
        } else if left.is_zero() {
            return Err(anyhow::Error::new(error).context(format!("gave up after {patience:?}")));
        }
        if !std::mem::replace(&mut told, true) {
            say(&waiting(&error, patience));
        }
        tokio::time::sleep(waits.next_wait(fastrand::f64()).min(left)).await;
    }
}

/// Tries until the queues are declared, and reports the state after each try.
///
/// It also continues after errors that need an operator: once they are fixed, no restart is needed.
pub async fn pursue(broker: &Broker, topology: &Topology, topology_status: &watch::Sender<TopologyStatus>) {
    let mut waits = RetryPolicy::forever(WAITS.0, WAITS.1).schedule();
    loop {
        tokio::time::sleep(waits.next_wait(fastrand::f64())).await;
        let Err(error) = declare(broker, topology).await else { break };
        let before = topology_status.send_replace(TopologyStatus::Refused(error.clone()));
        if before != TopologyStatus::Refused(error.clone()) {
            error.log();
        }
    }
    topology_status.send_replace(TopologyStatus::Declared);
    tracing::info!(rabbitmq = broker.at(), "the queues are declared; accepting posts");
}

/// The message when something has to wait.
#[must_use]
pub fn waiting(error: &dyn std::fmt::Display, patience: Duration) -> String {
    format!("waiting: {error}; retrying for up to {patience:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_core::failure::{Failure, Kind};

    fn error(kind: Kind) -> DeclareError {
        BrokerError { at: "h:5672".to_owned(), failure: Failure::new(kind, "amqp_403", "said so") }.into()
    }

    #[test]
    fn posts_are_taken_only_once_the_queues_are_declared() {
        assert!(TopologyStatus::Declared.check().is_ok());
        assert!(TopologyStatus::Trying.check().is_err());
        let reason = TopologyStatus::Refused(error(Kind::Dependency)).check().expect_err("it was refused");
        assert!(reason.contains("h:5672") && reason.contains("said so"), "{reason}");
    }

    #[test]
    fn only_what_waiting_cannot_fix_needs_an_operator() {
        assert!(error(Kind::Operator).needs_operator());
        assert!(!error(Kind::Dependency).needs_operator());
    }
}
