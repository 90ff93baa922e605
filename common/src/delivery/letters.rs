//! Dead letters in hand: looked at one after the other, each answered or all put back in their order.
//!
//! A look takes letters with `basic.get` and gives them back with one `basic.nack` for all of them: that keeps their
//! order on RabbitMQ 3.10 and on 4.x. They are never rejected, and the channel is never just closed: on 4.x both bring
//! a letter nearer to its destruction. While letters are in hand nobody else sees them, so lookers take turns: the turn
//! is an exclusive queue, which the broker takes away from whoever dies with it.

use std::time::Duration;

use deadpool_lapin::lapin;
use lapin::options::{BasicAckOptions, BasicGetOptions, BasicNackOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection};
use serde::Serialize;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::{DELIVERY_COUNT_HEADER, Unsettled, answered, headers, number, without};
use crate::broker::{Broker, BrokerError, bounded, close};
use crate::dead_letter::{DeadLetterRecord, FAILURE_HEADER, Origin, REPLAYS_HEADER, fingerprint};
use crate::disposition::Class;
use crate::failure::{Failure, Kind};
use crate::publisher::Envelope;
use crate::topology::Topology;

/// The longest wait for one answer of the broker.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often a waiting looker asks for its turn.
const TURN_POLL: Duration = Duration::from_millis(200);

/// The dead letters, in one pair of hands.
pub struct Letters {
    connection: Connection,
    channel: Channel,
    queue: String,
    broker: Broker,
    /// How many are still to be taken: no more than were there at the beginning, or a replay whose letters die again
    /// at once would never end.
    left: u32,
    /// The tag of the last one taken.
    last: Option<u64>,
}

/// Why the dead letters cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// The broker cannot be used.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The queue was never declared.
    #[error("there is no dead-letter queue `{0}`; is SLUICE_PREFIX right? `sluice topology apply` makes the queues")]
    NoQueue(String),
    /// Somebody else did not come to an end.
    #[error("somebody else has had the dead letters of `{queue}` in hand for {waited:?}; try again later")]
    Busy {
        /// The dead-letter queue.
        queue: String,
        /// How long we waited for our turn.
        waited: Duration,
    },
    /// A letter could not be answered; it is delivered again.
    #[error(transparent)]
    Unsettled(#[from] Unsettled),
}

impl Letters {
    /// Takes the turn, waiting for it at most `patience`. `on_wait` is called once if there is a wait.
    ///
    /// # Errors
    /// [`LetterError`].
    pub async fn open(
        broker: &Broker,
        topology: &Topology,
        patience: Duration,
        on_wait: impl FnOnce(),
    ) -> Result<Self, LetterError> {
        let connection = broker.connect().await?;
        take_turn(&connection, broker, topology, patience, on_wait).await?;
        let queue = topology.dead_letter_queue();
        let depth = match topology.dead_letter_depth(&connection).await {
            Ok(depth) => depth,
            Err(failure) if failure.code == "amqp_404" => return Err(LetterError::NoQueue(queue)),
            Err(failure) => return Err(broker.blame(failure).into()),
        };
        let channel = bounded("opening a channel", TIMEOUT, connection.create_channel())
            .await
            .map_err(|failure| broker.blame(failure))?;
        Ok(Self { connection, channel, queue, broker: broker.clone(), left: depth.ready, last: None })
    }

    /// How many are still to be taken.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.left
    }

    /// Takes the next one; `None` at the end of what was there at the beginning.
    ///
    /// # Errors
    /// When the broker cannot be used any more; what was in hand goes back by itself.
    pub async fn next(&mut self) -> Result<Option<Letter>, LetterError> {
        if self.left == 0 {
            return Ok(None);
        }
        let get = self.channel.basic_get(self.queue.as_str().into(), BasicGetOptions { no_ack: false });
        let got = bounded("taking a dead letter", TIMEOUT, get).await.map_err(|failure| self.broker.blame(failure))?;
        let Some(got) = got else {
            self.left = 0;
            return Ok(None);
        };
        self.left -= 1;
        self.last = Some(got.delivery.delivery_tag);
        Ok(Some(Letter::read(got.delivery)))
    }

    /// Puts back, in their order, all that were not answered, and gives up the turn.
    ///
    /// # Errors
    /// When that could not be said to the broker; it puts them back by itself then.
    pub async fn put_back(self) -> Result<(), LetterError> {
        if let Some(tag) = self.last {
            let nack = self.channel.basic_nack(tag, BasicNackOptions { multiple: true, requeue: true });
            bounded("putting dead letters back", TIMEOUT, nack).await.map_err(|failure| self.broker.blame(failure))?;
            // The nack is not answered. What is on the same channel behind it is, and only then has it been dealt with.
            let _ = bounded("closing a channel", TIMEOUT, self.channel.close(200, "done".into())).await;
        }
        close(&self.connection).await;
        Ok(())
    }
}

async fn take_turn(
    connection: &Connection,
    broker: &Broker,
    topology: &Topology,
    patience: Duration,
    on_wait: impl FnOnce(),
) -> Result<(), LetterError> {
    let begun = tokio::time::Instant::now();
    let mut on_wait = Some(on_wait);
    loop {
        // A refusal closes the channel, so each try has its own.
        let channel = bounded("opening a channel", TIMEOUT, connection.create_channel())
            .await
            .map_err(|failure| broker.blame(failure))?;
        let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
        let declare = channel.queue_declare(topology.look_lock().into(), options, FieldTable::default());
        match bounded("asking for the turn", TIMEOUT, declare).await {
            Ok(_) => return Ok(()),
            Err(failure) if failure.code == "amqp_405" => {}
            Err(failure) => return Err(broker.blame(failure).into()),
        }
        if begun.elapsed() > patience {
            return Err(LetterError::Busy { queue: topology.dead_letter_queue(), waited: begun.elapsed() });
        }
        if let Some(tell) = on_wait.take() {
            tell();
        }
        tokio::time::sleep(TURN_POLL).await;
    }
}

/// What is known of a dead letter, whoever set it aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LetterSummary {
    /// The message id; where there is none, one made from what the letter holds, the same at each look.
    pub id: String,
    /// Why it was set aside.
    pub class: Class,
    /// The failure's short name.
    pub code: String,
    /// What happened.
    pub message: String,
    /// The same for failures that differ only in numbers, ids and quoted values.
    pub fingerprint: String,
    /// Attempts that were made.
    pub attempts: u32,
    /// When the first attempt failed, UTC.
    #[serde(with = "time::serde::rfc3339::option")]
    pub first_failed_at: Option<OffsetDateTime>,
    /// When the last attempt failed, UTC.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_failed_at: Option<OffsetDateTime>,
    /// Who set it aside.
    pub worker: String,
    /// How often it had been replayed before.
    pub replays: u32,
    /// The post's title, where the body has one.
    pub title: Option<String>,
}

/// A dead letter in hand. Dropped unanswered, it goes back with the others.
#[derive(Debug)]
pub struct Letter {
    message: lapin::message::Delivery,
    /// What is known of it.
    pub summary: LetterSummary,
    /// Where it came from, as far as that is known.
    pub origin: Option<Origin>,
}

impl Letter {
    fn read(message: lapin::message::Delivery) -> Self {
        let (mut summary, origin) = match own_record(&message) {
            Some(record) => from_record(record),
            None => from_broker(&message),
        };
        summary.id = identity(&message);
        summary.title = serde_json::from_slice::<serde_json::Value>(&message.data)
            .ok()
            .and_then(|body| body.get("title")?.as_str().map(str::to_owned));
        Self { message, summary, origin }
    }

    /// The body, as it was published.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.message.data
    }

    /// The headers, as JSON.
    #[must_use]
    pub fn headers(&self) -> serde_json::Value {
        headers(&self.message).map_or_else(|| serde_json::json!({}), table_to_json)
    }

    /// The message that puts the post back to work: the same id and body, the broker's and the dead letter's own
    /// headers off, one replay more.
    #[must_use]
    pub fn replay(&self, topology: &Topology) -> Envelope {
        let table = headers(&self.message).cloned().unwrap_or_default();
        let mut table = without(&table, |name| name.starts_with("x-") || name == FAILURE_HEADER);
        table.insert(REPLAYS_HEADER.into(), AMQPValue::LongLongInt((self.summary.replays.saturating_add(1)).into()));
        let properties = self.message.properties.clone().with_headers(table);
        Envelope::new(topology.exchange(), properties, self.message.data.clone())
    }

    /// Takes the letter out of the queue, for good.
    ///
    /// # Errors
    /// When the session is over: the letter is still in the queue then.
    pub async fn remove(self) -> Result<(), Unsettled> {
        answered(self.message.acker.ack(BasicAckOptions::default())).await
    }
}

/// The message id, or a name made of the body and the headers that no look changes.
fn identity(message: &lapin::message::Delivery) -> String {
    if let Some(id) = message.properties.message_id().as_ref().filter(|id| !id.as_str().is_empty()) {
        return id.to_string();
    }
    let mut hash = Sha256::new();
    hash.update(&message.data);
    if let Some(table) = headers(message) {
        hash.update(format!("{:?}", without(table, |name| name == DELIVERY_COUNT_HEADER)));
    }
    let digest: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("anonymous-{digest}")
}

fn own_record(message: &lapin::message::Delivery) -> Option<DeadLetterRecord> {
    let record = headers(message)?.inner().get(FAILURE_HEADER)?;
    match record {
        AMQPValue::LongString(json) => DeadLetterRecord::from_header(json.as_bytes()).ok(),
        _ => None,
    }
}

fn from_record(record: DeadLetterRecord) -> (LetterSummary, Option<Origin>) {
    let summary = LetterSummary {
        id: String::new(),
        class: record.class,
        code: record.code,
        message: record.message,
        fingerprint: record.fingerprint,
        attempts: record.attempts,
        first_failed_at: Some(record.first_failed_at),
        last_failed_at: Some(record.last_failed_at),
        worker: record.worker,
        replays: record.replays,
        title: None,
    };
    (summary, Some(record.origin))
}

/// What the broker says of a letter that it set aside by itself, in the same form.
fn from_broker(message: &lapin::message::Delivery) -> (LetterSummary, Option<Origin>) {
    let table = headers(message);
    let death = table.and_then(|table| match table.inner().get("x-death")? {
        AMQPValue::FieldArray(deaths) => deaths.as_slice().first().cloned(),
        _ => None,
    });
    let entry = |name: &str| match &death {
        Some(AMQPValue::FieldTable(table)) => table.inner().get(name).cloned(),
        _ => None,
    };
    let reason = entry("reason").as_ref().and_then(text);
    let (class, message_text) = explain(reason.as_deref());
    let code = reason.map_or_else(|| "unknown".to_owned(), |reason| format!("broker_{reason}"));
    let at = entry("time").and_then(|time| match time {
        AMQPValue::Timestamp(seconds) => OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok(),
        _ => None,
    });
    let origin = entry("queue").as_ref().and_then(text).map(|queue| Origin {
        exchange: entry("exchange").as_ref().and_then(text).unwrap_or_default(),
        routing_key: entry("routing-keys").as_ref().and_then(first_text).unwrap_or_default(),
        queue,
    });
    let header_number = |name: &str| table.and_then(|table| table.inner().get(name)).and_then(number);
    let failure = Failure::new(Kind::Permanent, code, message_text);
    let summary = LetterSummary {
        id: String::new(),
        class,
        fingerprint: fingerprint(class, &failure),
        code: failure.code,
        message: failure.message,
        attempts: entry("count").as_ref().and_then(number).and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        first_failed_at: at,
        last_failed_at: at,
        worker: if death.is_some() { "RabbitMQ".to_owned() } else { "unknown".to_owned() },
        replays: header_number(REPLAYS_HEADER).and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        title: None,
    };
    (summary, origin)
}

fn explain(reason: Option<&str>) -> (Class, String) {
    let (class, text) = match reason {
        Some("delivery_limit") => {
            (Class::DeliveryLimit, "redelivered more often than the queue's delivery limit allows")
        }
        Some("expired") => (Class::Expired, "its time to live ran out before a worker took it"),
        Some("rejected") => (Class::Rejected, "a consumer rejected it without saying why"),
        Some("maxlen") => (Class::Overflow, "the queue was over its maximum length"),
        Some(other) => return (Class::Unknown, format!("the broker gives the reason `{other}`")),
        None => (Class::Unknown, "neither a worker nor the broker said why it is here: another program put it here"),
    };
    (class, text.to_owned())
}

fn text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => Some(text.to_string()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

fn first_text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::FieldArray(values) => values.as_slice().first().and_then(text),
        _ => None,
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

/// For people to read; not meant to be read back.
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
