//! A dead letter in flight: read, replayed, or taken out of the queue.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use deadpool_lapin::lapin;
use lapin::options::BasicAckOptions;
use lapin::types::{AMQPValue, FieldTable};
use time::OffsetDateTime;

use super::Transcript;
use super::summary::{DeadLetterSummary, sent_at, summarise};
use crate::delivery::Unsettled;
use crate::headers::{headers, is_a_count_of_the_brokers, number, text, trace, without};
use crate::publisher::Envelope;
use crate::topology::Topology;
use sluice_core::dead_letter::{FAILURE_HEADER, NAME_HEADER, NAMELESS, Origin, REPLAY_HEADER, REPLAYS_HEADER};
use sluice_core::failure::Failure;
use sluice_core::post::{Malformed, Post};
use sluice_core::trace_parent::TraceParent;

/// The timeout for writing an acknowledgement. The broker does not reply to it, so only a stalled connection delays it.
const ANSWER_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// A dead letter in flight. If it is dropped without being settled, it is returned with the others.
#[derive(Debug)]
pub struct DeadLetter {
    message: lapin::message::Delivery,
    /// What is known of it.
    pub summary: DeadLetterSummary,
    /// Where it came from, as far as that is known.
    pub origin: Option<Origin>,
    removed: Removed,
}

/// The delivery tags of the dead letters that were removed, for the browser that has all of them in flight.
#[derive(Debug, Clone, Default)]
pub(super) struct Removed(Arc<Mutex<HashSet<u64>>>);

impl Removed {
    fn add(&self, tag: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(tag);
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether this is one of them.
    pub(super) fn has(&self, tag: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&tag)
    }
}

impl DeadLetter {
    pub(super) fn read(message: lapin::message::Delivery, removed: Removed) -> Self {
        let (summary, origin) = summarise(&message.properties, &message.data);
        Self { message, summary, origin, removed }
    }

    /// Treats a message from any source as a dead letter.
    #[must_use]
    pub fn of(message: lapin::message::Delivery) -> Self {
        Self::read(message, Removed::default())
    }

    /// The body, as it was published.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.message.data
    }

    /// The headers, as JSON, without the broker's delivery counts: for a dead letter, they count how often it was
    /// browsed, and are not part of the message.
    #[must_use]
    pub fn headers(&self) -> serde_json::Value {
        let table = headers(&self.message).map(|table| without(table, is_a_count_of_the_brokers));
        table_to_json(&table.unwrap_or_default())
    }

    /// Whether it has no message id, so that its id is derived from its content.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.message_id().is_none_or(str::is_empty)
    }

    /// The user that published it, which the broker verifies. It does not verify headers.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.message.properties.user_id().as_ref().map(|user| user.as_str())
    }

    /// The message id, as it was sent.
    #[must_use]
    pub fn message_id(&self) -> Option<&str> {
        self.message.properties.message_id().as_ref().map(|id| id.as_str())
    }

    /// The replay that last published it, before it was dead-lettered this time. It comes from a header, which any
    /// publisher can set.
    #[must_use]
    pub fn replayed_by(&self) -> Option<String> {
        headers(&self.message)?.inner().get(REPLAY_HEADER).and_then(text)
    }

    /// The post, as a worker would read it if it received the dead letter at `now`.
    ///
    /// # Errors
    /// [`Malformed`], as the worker would report it.
    pub fn post(&self, now: OffsetDateTime) -> Result<Post, Malformed> {
        Post::from_message(self.body(), self.message_id(), sent_at(&self.message.properties).unwrap_or(now))
    }

    /// Frees the body, which may be large. The dead letter can still be settled.
    pub fn forget_body(&mut self) {
        self.message.data = Vec::new();
    }

    /// The dead letter written out in full.
    #[must_use]
    pub fn transcript(&self) -> Transcript {
        Transcript::of(&self.message)
    }

    /// The place in a trace that its headers name, if they name one.
    #[must_use]
    pub fn trace(&self) -> Option<TraceParent> {
        headers(&self.message).and_then(trace)
    }

    /// The message that replays the post: the same id and body, without the headers of the broker and of the dead
    /// letter, with the replay count incremented and the id of the replay.
    #[must_use]
    pub fn replay(&self, topology: &Topology, replay: &str) -> Envelope {
        let table = headers(&self.message).cloned().unwrap_or_default();
        let mut table = without(&table, |name| name.starts_with("x-") || name == FAILURE_HEADER);
        table.insert(REPLAYS_HEADER.into(), AMQPValue::LongLongInt((self.summary.replays.saturating_add(1)).into()));
        table.insert(REPLAY_HEADER.into(), AMQPValue::LongString(replay.into()));
        if self.summary.id.starts_with(NAMELESS) {
            table.insert(NAME_HEADER.into(), AMQPValue::LongString(self.summary.id.as_str().into()));
        }
        let properties = self.message.properties.clone().with_headers(table);
        Envelope::new(topology.exchange(), properties, self.message.data.clone())
    }

    /// Removes the dead letter from the queue permanently.
    ///
    /// # Errors
    /// When the session has ended: the dead letter is then still in the queue.
    pub async fn remove(self) -> Result<(), Unsettled> {
        answered(self.message.acker.ack(BasicAckOptions::default())).await?;
        self.removed.add(self.message.delivery_tag);
        Ok(())
    }
}

fn table_to_json(table: &FieldTable) -> serde_json::Value {
    table
        .inner()
        .iter()
        .map(|(name, value)| (name.to_string(), to_json(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// For display only; not meant to be parsed.
fn to_json(value: &AMQPValue) -> serde_json::Value {
    match value {
        AMQPValue::Boolean(yes) => (*yes).into(),
        AMQPValue::Float(float) => f64::from(*float).into(),
        AMQPValue::Double(double) => (*double).into(),
        AMQPValue::Timestamp(seconds) => (*seconds).into(),
        AMQPValue::FieldTable(table) => table_to_json(table),
        AMQPValue::FieldArray(values) => values.as_slice().iter().map(to_json).collect::<Vec<_>>().into(),
        AMQPValue::Void => serde_json::Value::Null,
        AMQPValue::LongInt(n) => (*n).into(),
        AMQPValue::LongLongInt(n) => (*n).into(),
        other => match (number(other), text(other)) {
            (Some(number), _) => number.into(),
            (_, Some(text)) => text.into(),
            _ => format!("{other:?}").into(),
        },
    }
}

/// `Ok(false)` from the library means that the acknowledgement was never sent.
async fn answered(answer: impl Future<Output = lapin::Result<bool>>) -> Result<(), Unsettled> {
    match crate::broker::bounded("settling a delivery", ANSWER_TIMEOUT, answer).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Unsettled::Gone("the channel is closed".to_owned())),
        Err(Failure { message, .. }) => Err(Unsettled::Gone(message)),
    }
}
