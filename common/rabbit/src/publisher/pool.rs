//! The pool of confirm channels that batches share.

use std::time::Duration;

use deadpool::managed;
use deadpool_lapin::lapin::options::{ConfirmSelectOptions, QueueDeclareOptions};
use deadpool_lapin::lapin::types::FieldTable;
use deadpool_lapin::lapin::{Channel, Connection, ConnectionStatus};
use scopeguard::ScopeGuard;
use tokio::time::Instant;

use super::batch::{BatchError, publish_on};
use super::size::header_frame;
use super::{Envelope, PublishError};
use crate::broker::{Broker, BrokerError, bounded, close};
use crate::failure::classify;
use crate::topology::{Topology, TopologyError};
use sluice_core::failure::{Failure, Kind};

/// Connections shared by publishers. Consumers have their own, because an alarm on the broker blocks every write on a
/// publishing connection, including acknowledgements.
const CONNECTIONS: usize = 2;
/// Confirm channels that batches share.
const CHANNELS: usize = 16;

/// The pool of confirm channels and what is needed to explain its failures.
pub(super) struct Channels {
    pool: managed::Pool<ConfirmChannels>,
    broker: Broker,
    /// What bounds each call.
    pub(super) patience: Duration,
}

impl Channels {
    /// The pool; nothing in it is opened before it is needed.
    pub(super) fn open(broker: &Broker, patience: Duration) -> Result<Self, BrokerError> {
        let manager = ConfirmChannels { connections: broker.pool(CONNECTIONS)?, patience };
        let pool = managed::Pool::builder(manager)
            .max_size(CHANNELS)
            .runtime(deadpool::Runtime::Tokio1)
            .wait_timeout(Some(patience))
            .create_timeout(Some(patience))
            .recycle_timeout(Some(patience))
            .build()
            .map_err(|error| broker.with_context(Failure::new(Kind::Dependency, "amqp_pool", error.to_string())))?;
        Ok(Self { pool, broker: broker.clone(), patience })
    }

    /// Publishes a batch and answers for each message, in order.
    pub(super) async fn publish(&self, batch: &[Envelope]) -> Vec<Result<(), PublishError>> {
        let batch: Vec<&Envelope> = batch.iter().collect();
        let mut answers = self.publish_together(&batch).await;
        let is_refused = |answer: &Result<(), PublishError>| matches!(answer, Err(PublishError::Refused(_)));
        if batch.len() > 1 && answers.iter().any(is_refused) {
            // The broker closed the channel for all of them because of one message that it does not name.
            for (place, envelope) in
                batch.iter().enumerate().filter(|(place, _)| is_refused(&answers[*place])).collect::<Vec<_>>()
            {
                answers[place] = self.publish_together(&[*envelope]).await.pop().unwrap_or(Ok(()));
            }
        }
        answers
    }

    async fn publish_together(&self, batch: &[&Envelope]) -> Vec<Result<(), PublishError>> {
        if batch.is_empty() {
            return Vec::new();
        }
        let all = |error: PublishError| vec![Err(error); batch.len()];
        let until = Instant::now() + self.patience;
        let mut checkout = match tokio::time::timeout_at(until, self.checkout()).await {
            Ok(Ok(checkout)) => checkout,
            Ok(Err(error)) => return all(self.explain(error)),
            Err(_) => return all(PublishError::Unconfirmed(self.patience)),
        };
        let oversized: Vec<Option<PublishError>> = batch.iter().map(|envelope| checkout.oversized(envelope)).collect();
        let sent: Vec<&Envelope> =
            batch.iter().zip(&oversized).filter(|(_, over)| over.is_none()).map(|(envelope, _)| *envelope).collect();
        match tokio::time::timeout_at(until, publish_on(&checkout.channel, &sent)).await {
            Ok(Ok(answers)) => {
                // A channel is reused only if the outcome of the whole batch is known.
                checkout.fit = true;
                let mut answers = answers.into_iter();
                let answer = |over: Option<PublishError>| over.map_or_else(|| answers.next().unwrap_or(Ok(())), Err);
                oversized.into_iter().map(answer).collect()
            }
            Ok(Err(error)) => all(self.explain(error)),
            Err(_) => {
                self.retire(&checkout);
                all(PublishError::Unconfirmed(self.patience))
            }
        }
    }

    /// No new work starts on a connection that did not respond in time, unless an alarm is the reason. Work in progress
    /// on it may still succeed.
    fn retire(&self, late: &ConfirmChannel) {
        if late.connection.blocked() {
            return;
        }
        let opened = late.opened;
        self.pool.retain(|channel, _| channel.opened != opened);
        let manager = self.pool.manager();
        for silent in manager.connections.retain(|_, connection| connection.created != opened).removed {
            leave(silent, self.patience);
        }
    }

    /// Asks whether the queue is there and has room.
    pub(super) async fn room(&self, topology: &Topology) -> Result<(), PublishError> {
        if self.pool.manager().is_blocked() {
            return Err(PublishError::Blocked);
        }
        let mut checkout = self.checkout().await.map_err(|error| self.explain(error))?;
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let ask = checkout.channel.queue_declare(topology.queue().into(), options, FieldTable::default());
        let Ok(asked) = tokio::time::timeout(self.patience, ask).await else {
            self.retire(&checkout);
            return Err(self.explain(Failure::timed_out("amqp", "reading the queue's depth", self.patience).into()));
        };
        let queue = asked.map_err(|error| match classify(&error) {
            // The queue is missing, so the exchange routes to nothing.
            failure if failure.code == "amqp_404" => PublishError::Unroutable(topology.exchange()),
            failure => self.explain(failure.into()),
        })?;
        checkout.fit = true;
        if topology.is_full(queue.message_count()) { Err(PublishError::Full) } else { Ok(()) }
    }

    /// Declares the queues, over a connection of the pool.
    pub(super) async fn declare(&self, topology: &Topology) -> Result<(), TopologyError> {
        match self.pool.manager().connection().await {
            Ok(connection) => {
                let declared = topology.declare(&connection).await;
                if !matches!(declared, Err(TopologyError::Failed(_))) {
                    proven(connection);
                }
                declared
            }
            Err(BatchError::Failed(failure)) => Err(failure.into()),
            Err(error) => Err(Failure::new(Kind::Dependency, "amqp_blocked", error.to_string()).into()),
        }
    }

    /// A channel that is not reused until its user marks it as fit.
    async fn checkout(&self) -> Result<managed::Object<ConfirmChannels>, BatchError> {
        let mut checkout = self.pool.get().await.map_err(|error| match error {
            managed::PoolError::Backend(error) => error,
            managed::PoolError::Timeout(managed::TimeoutType::Wait) => {
                BatchError::Failed(Failure::timed_out("amqp", "waiting for a free channel", self.patience))
            }
            _ => BatchError::Failed(Failure::timed_out("amqp", "opening a channel", self.patience)),
        })?;
        if checkout.connection.blocked() {
            return Err(BatchError::Blocked);
        }
        checkout.fit = false;
        Ok(checkout)
    }

    fn explain(&self, error: BatchError) -> PublishError {
        match error {
            BatchError::Blocked => PublishError::Blocked,
            BatchError::NoExchange(name) => PublishError::Unroutable(name),
            BatchError::Refused(why) => PublishError::Refused(why),
            BatchError::Failed(failure) => PublishError::Unreachable(self.broker.with_context(failure)),
        }
    }
}

/// A channel in confirm mode.
struct ConfirmChannel {
    channel: Channel,
    connection: ConnectionStatus,
    /// When its connection was opened, which identifies the connection.
    opened: std::time::Instant,
    /// The largest frame that may be sent on it.
    frame_max: usize,
    /// Nothing is outstanding on it.
    fit: bool,
}

impl ConfirmChannel {
    /// Why a message must not be sent on it: the broker would end the connection.
    fn oversized(&self, envelope: &Envelope) -> Option<PublishError> {
        let (bytes, most) = (header_frame(&envelope.properties), self.frame_max);
        (bytes > most).then_some(PublishError::Oversized { bytes, most })
    }
}

/// Makes confirm channels on pooled connections, and throws away those that are not fit for another use.
struct ConfirmChannels {
    connections: deadpool_lapin::Pool,
    patience: Duration,
}

impl ConfirmChannels {
    /// Whether an alarm has stopped one of the connections. It holds for all of them, but the broker tells a connection
    /// only once it publishes.
    fn is_blocked(&self) -> bool {
        let mut blocked = false;
        self.connections.retain(|connection, _| {
            blocked |= connection.status().connected() && connection.status().blocked();
            true
        });
        blocked
    }

    /// A connection that accepts publishes, as far as is known.
    async fn connection(&self) -> Result<OnTrial, BatchError> {
        let connection = self.connections.get().await.map_err(|error| match error {
            deadpool_lapin::PoolError::Backend(error) => classify(&error),
            other => Failure::new(Kind::Dependency, "amqp_timeout", other.to_string()),
        })?;
        // On a blocked one, opening a channel would hang until the alarm is over.
        if connection.status().blocked() {
            return Err(BatchError::Blocked);
        }
        let patience = self.patience;
        let give_up: GiveUp = Box::new(move |silent| {
            // A connection blocked by an alarm is unresponsive only for a while, and can be recognised.
            if !silent.status().blocked() {
                leave(deadpool_lapin::Object::take(silent), patience);
            }
        });
        Ok(scopeguard::guard(connection, give_up))
    }
}

/// A connection that returns to the pool only after it has responded: a caller gives up at some point, and nobody
/// should wait for an unresponsive connection again.
type OnTrial = ScopeGuard<deadpool_lapin::Object, GiveUp>;
type GiveUp = Box<dyn FnOnce(deadpool_lapin::Object) + Send>;

fn proven(connection: OnTrial) {
    drop(ScopeGuard::into_inner(connection));
}

/// Closes a connection once all work in progress on it has ended. Dropping it is not enough: a channel whose close is
/// not answered keeps it open as long as there are heartbeats.
fn leave(silent: Connection, patience: Duration) {
    tokio::spawn(async move {
        tokio::time::sleep(patience).await;
        close(&silent).await;
    });
}

impl managed::Manager for ConfirmChannels {
    type Type = ConfirmChannel;
    type Error = BatchError;

    async fn create(&self) -> Result<ConfirmChannel, BatchError> {
        let connection = self.connection().await?;
        let channel = bounded("opening a channel", self.patience, connection.create_channel()).await?;
        let select = channel.confirm_select(ConfirmSelectOptions::default());
        bounded("enabling confirms", self.patience, select).await?;
        let (status, opened) = (connection.status().clone(), deadpool_lapin::Object::metrics(&connection).created);
        let frame_max = usize::try_from(connection.configuration().frame_max()).unwrap_or(usize::MAX);
        proven(connection);
        Ok(ConfirmChannel { channel, connection: status, opened, frame_max, fit: true })
    }

    async fn recycle(&self, used: &mut ConfirmChannel, _: &managed::Metrics) -> managed::RecycleResult<BatchError> {
        if used.fit && used.connection.connected() && used.channel.status().connected() {
            Ok(())
        } else {
            Err(managed::RecycleError::message("closed, or with a publish in progress"))
        }
    }
}
