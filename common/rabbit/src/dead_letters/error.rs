//! Why the dead letters cannot be browsed.

use std::time::Duration;

use crate::broker::BrokerError;
use crate::delivery::Unsettled;

/// Why the dead letters cannot be browsed.
#[derive(Debug, thiserror::Error)]
pub enum BrowseError {
    /// The broker cannot be used.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The queue was never declared.
    #[error("there is no dead-letter queue `{0}`; is SLUICE_PREFIX right? `sluice topology apply` makes the queues")]
    NoQueue(String),
    /// Another browser had the lock for too long.
    #[error("somebody else has had the dead letters of `{queue}` in flight for {waited:.0?}; try again later")]
    Busy {
        /// The dead-letter queue.
        queue: String,
        /// How long we waited for our lock.
        waited: Duration,
    },
    /// The broker's `consumer_timeout` has passed.
    #[error(
        "RabbitMQ took the dead letters of `{queue}` back after {held:.0?}, since its `consumer_timeout` is shorter than \
         that; none is lost. Set it to 5 minutes or more"
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
