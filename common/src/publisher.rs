//! Publishing with certainty: persistent, mandatory, confirmed.
//!
//! ```text
//!  publish(one) ─► queue of jobs ─► lane ┐
//!                                        ├─► channel from the pool ─► broker
//!  publish_batch(many) ──────────────────┘   one batch at a time
//! ```
//!
//! A confirm channel serves one batch at a time, and a batch is judged only when all of its confirms are in. The reason
//! is a property of the library: with several publishes under way on one channel, a returned message can be attached
//! to a neighbour's confirm. So what failed is what was nacked, and whatever message id came back.
//!
//! Single publishes gather: a lane takes whatever is waiting, publishes it as one batch and then takes what has come
//! meanwhile. There is no timer, so a lone post waits for nobody.
//!
//! A publish that timed out is *unknown*, not failed: the broker may have it. Its channel is never used again, and the
//! sender is told to try again with the same id, which the primary key absorbs.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use deadpool::managed;
use deadpool_lapin::lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use deadpool_lapin::lapin::types::FieldTable;
use deadpool_lapin::lapin::{BasicProperties, Channel, Confirmation, ConnectionStatus};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::broker::{Broker, BrokerError, bounded};
use crate::failure::{Failure, Kind};
use crate::post::Post;
use crate::topology::{MESSAGE_TYPE, ROUTING_KEY, Topology};

/// Connections that publishing shares. Consumers have their own: an alarm on the broker stops every write on a
/// connection that publishes, acknowledgements included.
const CONNECTIONS: usize = 2;
/// Confirm channels that batches share.
const CHANNELS: usize = 16;
/// Lanes that gather single publishes.
const LANES: usize = 4;
/// The most posts of one gathered batch.
const GATHER: usize = 256;
/// Persistent, as AMQP numbers it.
const PERSISTENT: u8 = 2;

/// A message on its way to an exchange.
#[derive(Debug, Clone)]
pub struct Envelope {
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
    pub(crate) properties: BasicProperties,
    pub(crate) body: Vec<u8>,
}

impl Envelope {
    /// A new post, for the workers.
    #[must_use]
    pub fn post(topology: &Topology, post: &Post) -> Self {
        let timestamp = u64::try_from(post.submitted_at.unix_timestamp()).unwrap_or_default();
        let properties = BasicProperties::default()
            .with_message_id(post.id.to_string().into())
            .with_content_type("application/json".into())
            .with_type(MESSAGE_TYPE.into())
            .with_timestamp(timestamp);
        Self::new(topology.exchange(), properties, post.to_body())
    }

    /// Any message, for the queue that `exchange` leads to. Always persistent, and without an expiry: what Sluice
    /// publishes waits until somebody takes it.
    pub(crate) fn new(exchange: String, properties: BasicProperties, body: Vec<u8>) -> Self {
        let mut kept = properties.with_delivery_mode(PERSISTENT);
        if kept.expiration().is_some() {
            kept = without_expiration(kept);
        }
        Self { exchange, routing_key: ROUTING_KEY.to_owned(), properties: kept, body }
    }

    /// How returns are told apart. Messages of strangers without an id share one: if one of them comes back, all such
    /// messages of the batch count as failed.
    fn message_id(&self) -> &str {
        self.properties.message_id().as_ref().map_or("", |id| id.as_str())
    }
}

/// The properties have setters but nothing that unsets, so they are built again without the one.
fn without_expiration(from: BasicProperties) -> BasicProperties {
    let mut to = BasicProperties::default();
    macro_rules! carry {
        ($($get:ident => $set:ident),*) => {
            $(if let Some(value) = from.$get().clone() { to = to.$set(value); })*
        };
    }
    carry!(
        content_type => with_content_type, content_encoding => with_content_encoding, headers => with_headers,
        delivery_mode => with_delivery_mode, priority => with_priority, correlation_id => with_correlation_id,
        reply_to => with_reply_to, message_id => with_message_id, timestamp => with_timestamp, kind => with_type,
        user_id => with_user_id, app_id => with_app_id, cluster_id => with_cluster_id
    );
    to
}

/// Why a message was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The broker took it and found no queue for it.
    #[error("no queue takes messages of exchange `{0}`; `sluice topology apply` puts it right")]
    Unroutable(String),
    /// The broker refused it: the queue is as long as it may be.
    #[error("the queue is full")]
    Full,
    /// The broker takes nothing from publishers: it is short of memory or disk.
    #[error("RabbitMQ has blocked publishers: it is short of memory or disk")]
    Blocked,
    /// The broker cannot be reached.
    #[error(transparent)]
    Unreachable(BrokerError),
    /// No confirm came in time. The message may have been taken: only the same id makes another try harmless.
    #[error("RabbitMQ did not confirm within {0:?}; the message may or may not have been taken")]
    Unconfirmed(Duration),
}

/// Publishes with confirms. Cheap to clone; its clones share connections and channels.
#[derive(Clone)]
pub struct Publisher {
    jobs: mpsc::Sender<Job>,
    channels: Arc<Channels>,
}

/// One message of many that lanes gather.
struct Job {
    envelope: Envelope,
    reply: oneshot::Sender<Result<(), PublishError>>,
}

impl Publisher {
    /// A publisher on connections of its own. Nothing is opened before it is needed. `patience` bounds each publish
    /// from the call to the answer.
    ///
    /// # Errors
    /// When no pool can be made.
    pub fn new(broker: &Broker, patience: Duration) -> Result<Self, BrokerError> {
        let manager = ConfirmChannels { connections: broker.pool(CONNECTIONS)?, patience };
        let pool = managed::Pool::builder(manager)
            .max_size(CHANNELS)
            .runtime(deadpool::Runtime::Tokio1)
            .wait_timeout(Some(patience))
            .create_timeout(Some(patience))
            .recycle_timeout(Some(patience))
            .build()
            .map_err(|error| broker.blame(Failure::new(Kind::Dependency, "amqp_pool", error.to_string())))?;
        let channels = Arc::new(Channels { pool, broker: broker.clone(), patience });
        let (jobs, waiting) = mpsc::channel(GATHER * LANES * 2);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..LANES {
            tokio::spawn(gather(Arc::clone(&waiting), Arc::clone(&channels)));
        }
        Ok(Self { jobs, channels })
    }

    /// Publishes one message; `Ok` means that the broker has it on disk and a queue holds it.
    ///
    /// # Errors
    /// [`PublishError`]; after [`PublishError::Unconfirmed`] the message may have been taken all the same.
    pub async fn publish(&self, envelope: Envelope) -> Result<(), PublishError> {
        let patience = self.channels.patience;
        let (reply, answer) = oneshot::channel();
        let confirmed = async {
            // Both ends only close when the lanes are gone, which is at the end of the process.
            let gone = PublishError::Unconfirmed(patience);
            self.jobs.send(Job { envelope, reply }).await.map_err(|_| gone.clone())?;
            answer.await.unwrap_or(Err(gone))
        };
        tokio::time::timeout(patience, confirmed).await.unwrap_or(Err(PublishError::Unconfirmed(patience)))
    }

    /// Publishes many at once and answers for each, in order.
    pub async fn publish_batch(&self, batch: &[Envelope]) -> Vec<Result<(), PublishError>> {
        self.channels.publish(batch).await
    }

    /// Asks whether a post could be accepted now: the broker answers, takes publishes, and the queue has room.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn ready(&self, topology: &Topology) -> Result<(), PublishError> {
        let patience = self.channels.patience;
        let asked = self.channels.room(topology);
        tokio::time::timeout(patience, asked).await.unwrap_or(Err(PublishError::Unconfirmed(patience)))
    }
}

/// A lane: takes whatever waits, publishes it, answers, and again, until the last publisher is dropped.
async fn gather(waiting: Arc<Mutex<mpsc::Receiver<Job>>>, channels: Arc<Channels>) {
    let mut jobs = Vec::with_capacity(GATHER);
    while waiting.lock().await.recv_many(&mut jobs, GATHER).await > 0 {
        // Whoever gave up waiting was told "unknown"; publishing for it now would only make a duplicate.
        jobs.retain(|job| !job.reply.is_closed());
        let (batch, replies): (Vec<_>, Vec<_>) = jobs.drain(..).map(|job| (job.envelope, job.reply)).unzip();
        let answers = channels.publish(&batch).await;
        for (reply, answer) in replies.into_iter().zip(answers) {
            let _ = reply.send(answer);
        }
    }
}

/// The pool of confirm channels and what is needed to explain its failures.
struct Channels {
    pool: managed::Pool<ConfirmChannels>,
    broker: Broker,
    patience: Duration,
}

impl Channels {
    async fn publish(&self, batch: &[Envelope]) -> Vec<Result<(), PublishError>> {
        if batch.is_empty() {
            return Vec::new();
        }
        let all = |error: PublishError| vec![Err(error); batch.len()];
        let published = async {
            let mut lease = self.lease().await?;
            let answers = publish_on(&lease.channel, batch).await?;
            // Only a batch that is wholly known leaves its channel fit for the next one.
            lease.fit = true;
            Ok(answers)
        };
        match tokio::time::timeout(self.patience, published).await {
            Ok(Ok(answers)) => answers,
            Ok(Err(error)) => all(self.explain(error)),
            Err(_) => all(PublishError::Unconfirmed(self.patience)),
        }
    }

    async fn room(&self, topology: &Topology) -> Result<(), PublishError> {
        let mut lease = self.lease().await.map_err(|trouble| self.explain(trouble))?;
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let ask = lease.channel.queue_declare(topology.queue().into(), options, FieldTable::default());
        let queue =
            bounded("asking for room", self.patience, ask).await.map_err(|failure| match failure.code.as_str() {
                // The queue is missing, so the exchange leads nowhere.
                "amqp_404" => PublishError::Unroutable(topology.exchange()),
                _ => self.explain(Trouble::from(failure)),
            })?;
        lease.fit = true;
        if topology.is_full(queue.message_count()) { Err(PublishError::Full) } else { Ok(()) }
    }

    /// A channel that is not fit for another use until its user says so.
    async fn lease(&self) -> Result<managed::Object<ConfirmChannels>, Trouble> {
        let mut lease = self.pool.get().await.map_err(|error| match error {
            managed::PoolError::Backend(trouble) => trouble,
            managed::PoolError::Timeout(managed::TimeoutType::Wait) => {
                Trouble::Failed(Failure::timed_out("amqp", "a channel that is free", self.patience))
            }
            _ => Trouble::Failed(Failure::timed_out("amqp", "opening a channel", self.patience)),
        })?;
        if lease.connection.blocked() {
            return Err(Trouble::Blocked);
        }
        lease.fit = false;
        Ok(lease)
    }

    fn explain(&self, trouble: Trouble) -> PublishError {
        match trouble {
            Trouble::Blocked => PublishError::Blocked,
            Trouble::NoExchange(name) => PublishError::Unroutable(name),
            Trouble::Failed(failure) => PublishError::Unreachable(self.broker.blame(failure)),
        }
    }
}

/// Publishes a batch on one channel and judges it as a whole.
async fn publish_on(channel: &Channel, batch: &[Envelope]) -> Result<Vec<Result<(), PublishError>>, Trouble> {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let mut confirms = Vec::with_capacity(batch.len());
    for envelope in batch {
        let (exchange, key) = (envelope.exchange.as_str().into(), envelope.routing_key.as_str().into());
        let publish = channel.basic_publish(exchange, key, options, &envelope.body, envelope.properties.clone());
        match publish.await {
            Ok(confirm) => confirms.push(confirm),
            Err(error) => return Err(why_closed(confirms, batch, Trouble::of(&error, envelope)).await),
        }
    }
    let mut returned = HashSet::new();
    let mut answers = Vec::with_capacity(batch.len());
    for (confirm, envelope) in confirms.into_iter().zip(batch) {
        let confirmation = confirm.await.map_err(|error| Trouble::of(&error, envelope))?;
        answers.push(match &confirmation {
            Confirmation::Ack(_) => Ok(()),
            Confirmation::Nack(_) => Err(PublishError::Full),
            // The channel was never put into confirm mode, so nothing on it is certain.
            Confirmation::NotRequested => return Err(Trouble::from(unconfirming())),
        });
        if let Some(message) = confirmation.take_message() {
            let id = message.delivery.properties.message_id().as_ref().map(ToString::to_string);
            returned.insert(id.unwrap_or_default());
        }
    }
    for (answer, envelope) in answers.iter_mut().zip(batch) {
        if returned.contains(envelope.message_id()) {
            *answer = Err(PublishError::Unroutable(envelope.exchange.clone()));
        }
    }
    Ok(answers)
}

/// A channel that the broker closed in the middle of a batch says why on an earlier confirm only.
async fn why_closed(
    confirms: Vec<impl Future<Output = deadpool_lapin::lapin::Result<Confirmation>>>,
    batch: &[Envelope],
    otherwise: Trouble,
) -> Trouble {
    for (confirm, envelope) in confirms.into_iter().zip(batch) {
        if let Err(error) = confirm.await
            && let trouble @ Trouble::NoExchange(_) = Trouble::of(&error, envelope)
        {
            return trouble;
        }
    }
    otherwise
}

fn unconfirming() -> Failure {
    Failure::new(Kind::Dependency, "amqp_no_confirms", "the channel is not in confirm mode")
}

/// What went wrong with a whole batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Trouble {
    #[error("publishers are blocked")]
    Blocked,
    #[error("exchange `{0}` is missing")]
    NoExchange(String),
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl Trouble {
    fn of(error: &deadpool_lapin::lapin::Error, envelope: &Envelope) -> Self {
        // A missing exchange closes the channel and so fails every confirm on it.
        if crate::failure::is_unroutable_channel_error(error) {
            Self::NoExchange(envelope.exchange.clone())
        } else {
            Self::Failed(Failure::from(error))
        }
    }
}

/// A channel in confirm mode.
struct ConfirmChannel {
    channel: Channel,
    connection: ConnectionStatus,
    /// Nothing is outstanding on it.
    fit: bool,
}

/// Makes confirm channels on pooled connections, and throws away those that are not fit for another use.
struct ConfirmChannels {
    connections: deadpool_lapin::Pool,
    patience: Duration,
}

impl managed::Manager for ConfirmChannels {
    type Type = ConfirmChannel;
    type Error = Trouble;

    async fn create(&self) -> Result<ConfirmChannel, Trouble> {
        let connection = self.connections.get().await.map_err(|error| match error {
            deadpool_lapin::PoolError::Backend(error) => Failure::from(error),
            other => Failure::new(Kind::Dependency, "amqp_timeout", other.to_string()),
        })?;
        if connection.status().blocked() {
            // Opening a channel would hang until the alarm is over.
            return Err(Trouble::Blocked);
        }
        let channel = bounded("opening a channel", self.patience, connection.create_channel()).await?;
        let select = channel.confirm_select(ConfirmSelectOptions::default());
        bounded("asking for confirms", self.patience, select).await?;
        Ok(ConfirmChannel { channel, connection: connection.status().clone(), fit: true })
    }

    async fn recycle(&self, used: &mut ConfirmChannel, _: &managed::Metrics) -> managed::RecycleResult<Trouble> {
        if used.fit && used.connection.connected() && used.channel.status().connected() {
            Ok(())
        } else {
            Err(managed::RecycleError::message("closed, or left with a publish under way"))
        }
    }
}
