//! A delivery: a message in flight, which must be settled exactly once. The only place that acknowledges.
//!
//! [`Delivery::settle`] consumes the delivery, so nothing is settled twice, and the compiler warns if one is dropped.
//! If one is dropped anyway, or is held when its connection ends, the broker returns it to the queue.

mod ack_tracker;
mod answers;
mod count;
mod session;

pub use count::redeliveries;
pub use session::{Deliveries, OpenError, Session};

use std::sync::Arc;

use deadpool_lapin::lapin;
use lapin::types::{AMQPValue, FieldTable};
use time::OffsetDateTime;

use ack_tracker::AckKind;
use answers::Answers;

use crate::headers::{
    ACQUIRED_COUNT_HEADER, DELIVERY_COUNT_HEADER, headers, is_a_count_of_the_brokers, number, sender, trace, without,
};
use crate::publisher::{Envelope, PublishError, Publisher};
use crate::topology::Topology;
use sluice_core::dead_letter::{DeadLetterRecord, EARLIER_FAILURE_HEADER, FAILURE_HEADER, Origin, REPLAYS_HEADER};
use sluice_core::name::SenderName;
use sluice_core::trace_parent::TraceParent;
use sluice_runtime::failpoint;

/// The most bytes of headers that are copied onto a dead letter. All headers together must fit one frame (128 KiB);
/// a message with more is rejected, so that the broker dead-letters it itself.
const HEADERS_MAX_BYTES: usize = 64 * 1024;

/// A message in flight, not yet settled.
#[derive(Debug)]
#[must_use = "a delivery must be settled: otherwise it blocks its consumer until the connection ends"]
pub struct Delivery {
    message: lapin::message::Delivery,
    /// Taken out of the message: copies of it share one body.
    body: Arc<Vec<u8>>,
    answers: Answers,
}

/// How a delivery is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// The post is acknowledged.
    Ack,
    /// A copy with this record is published to the dead-letter exchange; the original is acknowledged after the
    /// confirm.
    DeadLetter(Box<DeadLetterRecord>),
    /// Back to the queue.
    Release,
    /// Returned to the queue as a new message, whose delivery count starts at 0: a copy is published, and the original
    /// is acknowledged after the confirm. If the copy cannot be published, the original is released.
    Republish,
}

/// Why a delivery is not settled.
#[derive(Debug, thiserror::Error)]
pub enum Unsettled {
    /// The dead letter could not be published. The delivery is still in flight, to be settled again.
    #[error("the dead letter could not be published: {error}")]
    StillInFlight {
        /// The delivery, as it was.
        delivery: Box<Delivery>,
        /// Why it could not be published.
        error: PublishError,
    },
    /// The session has ended; the broker redelivers the message.
    #[error("the session ended before the delivery was settled ({0}); the message will be redelivered")]
    Gone(String),
}

impl Delivery {
    fn new(mut message: lapin::message::Delivery, answers: Answers) -> Self {
        let body = Arc::new(std::mem::take(&mut message.data));
        Self { message, body, answers }
    }

    /// The message's body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The message's id.
    #[must_use]
    pub fn message_id(&self) -> Option<&str> {
        self.message.properties.message_id().as_ref().map(|id| id.as_str())
    }

    /// When it was published, by the message's own `timestamp`, if it has one.
    #[must_use]
    pub fn timestamp(&self) -> Option<OffsetDateTime> {
        let seconds = i64::try_from((*self.message.properties.timestamp())?).ok()?;
        OffsetDateTime::from_unix_timestamp(seconds).ok()
    }

    /// How often it was delivered before and returned, by the broker's own count (quorum queues only).
    #[must_use]
    pub fn redeliveries(&self) -> u64 {
        redeliveries(self.message.redelivered, self.number(DELIVERY_COUNT_HEADER), self.number(ACQUIRED_COUNT_HEADER))
    }

    /// How often it was replayed from the dead letters.
    #[must_use]
    pub fn replays(&self) -> u32 {
        u32::try_from(self.number(REPLAYS_HEADER).unwrap_or_default()).unwrap_or(u32::MAX)
    }

    /// The sender that its headers name, if they name one.
    #[must_use]
    pub fn sender(&self) -> Option<SenderName> {
        headers(&self.message).and_then(sender)
    }

    /// The place in a trace that its headers name, if they name one.
    #[must_use]
    pub fn trace(&self) -> Option<TraceParent> {
        headers(&self.message).and_then(trace)
    }

    /// Where it came from.
    #[must_use]
    pub fn origin(&self, topology: &Topology) -> Origin {
        Origin {
            exchange: self.message.exchange.to_string(),
            routing_key: self.message.routing_key.to_string(),
            queue: topology.queue(),
        }
    }

    fn number(&self, header: &str) -> Option<u64> {
        headers(&self.message).and_then(|headers| headers.inner().get(header)).and_then(number)
    }

    /// Settles the delivery. Consumes it, so that it cannot be settled twice.
    ///
    /// # Errors
    /// [`Unsettled`]: if a dead letter could not be published, the error contains the delivery; any other failure means
    /// that the session has ended and the broker redelivers.
    pub async fn settle(
        self,
        settlement: Settlement,
        topology: &Topology,
        publisher: &Publisher,
    ) -> Result<(), Unsettled> {
        match settlement {
            Settlement::Ack => self.ack().await,
            Settlement::Release => self.release().await,
            Settlement::Republish => self.republish(topology, publisher).await,
            Settlement::DeadLetter(record) => self.dead_letter(&record, topology, publisher).await,
        }
    }

    async fn dead_letter(
        self,
        record: &DeadLetterRecord,
        topology: &Topology,
        publisher: &Publisher,
    ) -> Result<(), Unsettled> {
        let mut table = headers(&self.message).cloned().unwrap_or_default();
        // The debug form of a table is never shorter than its form on the wire.
        if format!("{table:?}").len() > HEADERS_MAX_BYTES {
            return self.leave_to_the_broker().await;
        }
        table = without(&table, is_a_count_of_the_brokers);
        // A dead letter that was moved back by other means than a replay keeps its earlier failure. The first one is
        // kept.
        let earlier = table.inner().get(FAILURE_HEADER).cloned();
        if let Some(earlier) = earlier.filter(|_| !table.inner().contains_key(EARLIER_FAILURE_HEADER)) {
            table.insert(EARLIER_FAILURE_HEADER.into(), earlier);
        }
        table.insert(FAILURE_HEADER.into(), AMQPValue::LongString(record.to_header().into()));
        let properties = self.message.properties.clone().with_headers(table);
        let dead_letter = Envelope::new(topology.dead_letter_exchange(), properties, Arc::clone(&self.body));
        match publisher.publish(dead_letter).await {
            Ok(()) => {
                failpoint::reach(failpoint::DEAD_LETTER_CONFIRMED);
                self.ack().await
            }
            Err(error) => Err(Unsettled::StillInFlight { delivery: Box::new(self), error }),
        }
    }

    async fn ack(self) -> Result<(), Unsettled> {
        self.answers.give(self.message.delivery_tag, AckKind::Ack).await
    }

    async fn release(self) -> Result<(), Unsettled> {
        self.answers.give(self.message.delivery_tag, AckKind::Requeue).await
    }

    async fn republish(self, topology: &Topology, publisher: &Publisher) -> Result<(), Unsettled> {
        let table = without(headers(&self.message).unwrap_or(&FieldTable::default()), |name| name.starts_with("x-"));
        let properties = self.message.properties.clone().with_headers(table);
        let copy = Envelope::new(topology.exchange(), properties, Arc::clone(&self.body));
        match publisher.publish(copy).await {
            Ok(()) => self.ack().await,
            // This counts as a delivery, which is better than delaying the end of a session.
            Err(_) => self.release().await,
        }
    }

    async fn leave_to_the_broker(self) -> Result<(), Unsettled> {
        self.answers.give(self.message.delivery_tag, AckKind::Reject).await
    }
}
