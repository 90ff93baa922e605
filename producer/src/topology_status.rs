//! Our standing with the broker: whether the queues that posts go to are declared, and are ours.
//!
//! ```text
//!  Trying ──declared──► Declared            posts are taken
//!    │ ▲
//!    ▼ │ backoff
//!  Refused                                  posts are answered with 503 and this reason
//! ```
//!
//! Until they have been declared once, no post is published: a queue of somebody else's making, without our
//! arguments, might drop it. What becomes of them later is for [`crate::http::watch`] to see.

use std::time::Duration;

use sluice_core::retry::RetryPolicy;
use sluice_rabbit::broker::{self, Broker, BrokerError};
use sluice_rabbit::topology::{Topology, TopologyError};
use tokio::sync::watch;
use tokio::time::Instant;

/// The first and the longest wait between two tries.
const WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(3));

/// How we stand.
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
    /// Its queues are not the ones we mean.
    #[error(transparent)]
    Topology(TopologyError),
}

impl DeclareError {
    /// Whether somebody has to change something before another try is of any use.
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

/// Declares the queues, and tries on for so long while the broker is down. `say` is told once what is waited for.
///
/// # Errors
/// [`DeclareError`]: at once when it needs an operator, else the last one when the patience is used up.
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

/// Tries until the queues are declared, and says after each try how we stand.
///
/// It goes on after troubles that need an operator, too: once the operator has seen to them, nothing needs a restart.
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
    tracing::info!(rabbitmq = broker.at(), "the queues are declared; accepting posts");
    topology_status.send_replace(TopologyStatus::Declared);
}

/// What is said when something has to wait.
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
