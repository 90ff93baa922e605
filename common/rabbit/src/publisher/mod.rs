//! Publishing with guarantees: persistent, mandatory, confirmed.
//!
//! ```text
//!  publish(one) ─► queue of jobs ─► micro-batcher ─┬─► channel from the pool ─► broker
//!  publish_batch(many) ────────────────────────────┘   one batch at a time
//! ```
//!
//! A confirm channel serves one batch at a time, and the outcome of a batch is known only when all of its confirms are
//! in: with several publishes under way on one channel, lapin may attach a returned message to another one's confirm. So
//! what failed is what was nacked, and every message id that was returned.
//!
//! Single publishes are batched: a micro-batcher takes whatever is waiting, publishes it as one batch and then takes
//! what has come meanwhile. There is no timer, so a single post does not wait.
//!
//! A publish that timed out is *unknown*, not failed: the broker may have it. Neither its channel nor its connection is
//! used again, and the sender has to retry with the same id, which the primary key absorbs. The connection is closed
//! because it may stay silent for ever: RabbitMQ stops reading from one whose posts were on their way to a quorum
//! queue when that was deleted (state `flow`; seen with 3.10), and goes on sending heartbeats all the same.

mod batch;
mod confirm_channel;
mod doubt;
mod envelope;
mod micro_batcher;
mod pool;
mod size;

pub use envelope::Envelope;
pub(crate) use size::header_frame;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::broker::{Broker, BrokerError};
use crate::topology::{Topology, TopologyError, no_leader};
use sluice_core::failure::Failure;

use micro_batcher::Job;
use pool::Channels;

/// What a caller waits beyond its patience for the word that nothing was sent.
const WORD: Duration = Duration::from_millis(100);

/// Why a message was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The broker received it, but no queue is bound.
    #[error("exchange `{0}` routes to no queue; `sluice topology apply` fixes it")]
    Unroutable(String),
    /// The broker refused it twice: the queue has its maximum length.
    #[error("the queue is full")]
    Full,
    /// Its queue, of this name, has no leader: the broker refused it, or did not confirm it. It may be in the queue.
    #[error("{}; the message may or may not have been queued", no_leader(.0))]
    NoLeader(String),
    /// Its properties and headers do not fit in one frame; it was not sent.
    #[error("its headers have {bytes} bytes; RabbitMQ accepts at most {most} (`frame_max`)")]
    Oversized {
        /// The size of the frame that would hold them.
        bytes: usize,
        /// The largest frame, as negotiated.
        most: usize,
    },
    /// The broker never takes it: it is larger than the broker's `max_message_size`.
    #[error("RabbitMQ refuses it: {0}")]
    Refused(String),
    /// The broker has blocked publishers: it is short of memory or disk.
    #[error("RabbitMQ has blocked publishers: it is short of memory or disk")]
    Blocked,
    /// The broker cannot be reached, or the connection broke before the confirm.
    #[error(transparent)]
    Unreachable(BrokerError),
    /// It was sent, and no confirm came in time. The message may be in the queue, so a retry is harmless only with the same id.
    #[error("RabbitMQ did not confirm within {0:?}; the message may or may not have been queued")]
    Unconfirmed(Duration),
}

impl PublishError {
    /// Whether the message itself is at fault, so that others may succeed.
    #[must_use]
    pub fn is_the_messages_own(&self) -> bool {
        matches!(self, Self::Oversized { .. } | Self::Refused(_))
    }

    /// Whether the message may be in the queue anyway.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unconfirmed(_) | Self::Unreachable(_) | Self::NoLeader(_))
    }
}

/// Publishes with confirms. Cheap to clone; its clones share connections and channels.
#[derive(Clone)]
pub struct Publisher {
    jobs: mpsc::Sender<Job>,
    channels: Arc<Channels>,
}

impl Publisher {
    /// A publisher to the exchanges of `topology`, on connections of its own. Nothing is opened before it is needed.
    /// `patience` bounds each publish from the call to the answer.
    ///
    /// # Errors
    /// When no pool can be made.
    pub fn new(broker: &Broker, topology: &Topology, patience: Duration) -> Result<Self, BrokerError> {
        let channels = Arc::new(Channels::open(broker, topology, patience)?);
        let jobs = micro_batcher::open(&channels);
        Ok(Self { jobs, channels })
    }

    /// Publishes one message; `Ok` means that the broker has it on disk and that it is in a queue.
    ///
    /// # Errors
    /// [`PublishError`]; after [`PublishError::Unconfirmed`] the message may be in the queue anyway.
    pub async fn publish(&self, envelope: Envelope) -> Result<(), PublishError> {
        let patience = self.channels.patience;
        let (reply, answer) = oneshot::channel();
        let until = Instant::now() + patience;
        let confirmed = async {
            // Both ends close only when the micro-batchers end, which is at the end of the process.
            let gone = PublishError::Unconfirmed(patience);
            self.jobs.send(Job { envelope, reply, until }).await.map_err(|_| gone.clone())?;
            answer.await.unwrap_or(Err(gone))
        };
        tokio::time::timeout_at(until + WORD, confirmed).await.unwrap_or(Err(PublishError::Unconfirmed(patience)))
    }

    /// Publishes many at once and answers for each, in order.
    pub async fn publish_batch(&self, batch: &[Envelope]) -> Vec<Result<(), PublishError>> {
        self.channels.publish(batch, Instant::now() + self.channels.patience).await
    }

    /// Asks whether a post could be accepted now: the broker answers, takes publishes, and the queue has room, and a
    /// leader as far as the last posts tell.
    ///
    /// # Errors
    /// Why not.
    pub async fn ready(&self) -> Result<(), PublishError> {
        let patience = self.channels.patience;
        let asked = self.channels.room();
        let late = || Err(self.channels.late("opening a channel"));
        tokio::time::timeout(patience, asked).await.unwrap_or_else(|_| late())
    }

    /// Declares the queues again, over a publishing connection: they may have been deleted or recreated.
    ///
    /// # Errors
    /// [`TopologyError`].
    pub async fn declare(&self) -> Result<(), TopologyError> {
        let patience = self.channels.patience;
        let declared = self.channels.declare();
        let late = || Err(Failure::timed_out("amqp", "declaring the queues", patience).into());
        tokio::time::timeout(patience, declared).await.unwrap_or_else(|_| late())
    }
}
