//! Whether a queue has a leader. Without one, because most of its members are down, it takes and gives nothing.
//!
//! AMQP has no question for it, and the length of such a queue is reported as 0, at once (RabbitMQ 3.10 and 4.3). What
//! tells is a command that has to pass through the queue's log. `basic.get` on a queue that is said to be empty is the
//! one that changes nothing.

use lapin::options::BasicGetOptions;

use super::depth::{Depth, NOTHING};
use super::{TIMEOUT, open};
use crate::broker::{Broker, bounded, close};
use sluice_core::failure::{Failure, Kind};

/// The code of the failure of a queue without a leader.
pub(crate) const NO_LEADER: &str = "amqp_no_leader";

/// What every message says of a queue without a leader, and what to do.
#[must_use]
pub fn no_leader(queue: &str) -> String {
    format!(
        "queue `{queue}` has no leader, because too few of its members are running; `rabbitmq-queues quorum_status \
         {queue}` names them"
    )
}

impl Depth {
    /// Makes sure of a depth that was read of a queue: one without a leader reports that it is empty. A queue
    /// that reports anything else has a leader, though it may have lost its majority. Not for dead letters that others
    /// may be returning: asking takes a message that comes in at this moment, and returns it.
    ///
    /// # Errors
    /// With the code `amqp_no_leader` where it has none; otherwise as [`super::Topology::queue_depth`].
    pub async fn check_leader(self, broker: &Broker, queue: &str) -> Result<(), Failure> {
        if self != NOTHING {
            return Ok(());
        }
        // A connection of its own: without a leader, RabbitMQ 3.10 closes it with an internal error, and 4.3 never
        // answers. A message that has come in this moment goes back when it ends.
        let connection = broker.connect().await.map_err(|error| error.failure)?;
        let channel = open(&connection).await?;
        let get = channel.basic_get(queue.into(), BasicGetOptions::default());
        let got = bounded("asking for the queue's leader", TIMEOUT, get).await;
        tokio::spawn(async move { close(&connection).await });
        match got {
            Ok(_) => Ok(()),
            // Who may not read the queue cannot tell.
            Err(refused) if refused.code == "amqp_403" => Ok(()),
            Err(failure) if matches!(failure.code.as_str(), "amqp_541" | "amqp_timeout") => {
                Err(Failure::new(Kind::Dependency, NO_LEADER, no_leader(queue)))
            }
            Err(failure) => Err(failure),
        }
    }
}
