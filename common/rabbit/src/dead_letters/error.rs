//! Why the dead letters cannot be browsed.

use std::time::Duration;

use crate::broker::BrokerError;
use crate::delivery::Unsettled;
use crate::topology::NO_LEADER;

/// Why the dead letters cannot be browsed.
#[derive(Debug, thiserror::Error)]
pub enum BrowseError {
    /// The broker cannot be used.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The queue was never declared.
    #[error("there is no dead-letter queue `{0}`; is SLUICE_PREFIX right? `sluice topology apply` declares the queues")]
    NoQueue(String),
    /// Another browser had the lock for too long.
    #[error("another client has had the dead letters of `{queue}` in flight for {waited:.0?}; try again later")]
    Busy {
        /// The dead-letter queue.
        queue: String,
        /// How long we waited for our lock.
        waited: Duration,
    },
    /// The broker's `consumer_timeout` has passed.
    #[error(
        "RabbitMQ took the dead letters of `{queue}` back after {held:.0?}, because its `consumer_timeout` is shorter; \
         none is lost. Set `consumer_timeout` to 5 minutes or more"
    )]
    TakenBack {
        /// The dead-letter queue.
        queue: String,
        /// How long they were in flight.
        held: Duration,
    },
    /// A dead letter could not be settled; it is delivered again.
    #[error(transparent)]
    Unsettled(#[from] Unsettled),
}

impl BrowseError {
    /// Whether the queue of the dead letters has no leader.
    #[must_use]
    pub fn is_no_leader(&self) -> bool {
        matches!(self, Self::Broker(error) if error.failure.code == NO_LEADER)
    }

    pub(super) fn may_mean_a_minority(&self) -> bool {
        match self {
            Self::Broker(error) => error.failure.code == "amqp_timeout",
            Self::Busy { .. } => true,
            _ => false,
        }
    }
}
