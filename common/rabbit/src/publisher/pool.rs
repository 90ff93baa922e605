//! The pool of confirm channels that batches share, and what is done on them.

use std::time::Duration;

use deadpool::managed;
use tokio::time::Instant;

use super::batch::{BatchError, publish_on};
use super::confirm_channel::{ConfirmChannel, ConfirmChannels, leave, proven};
use super::doubt::Doubt;
use super::{Envelope, PublishError};
use crate::broker::{Broker, BrokerError};
use crate::failure::classify;
use crate::topology::{NOTHING, Topology, TopologyError, ask};
use sluice_core::failure::{Failure, Kind};

/// The number of connections for publishing. Consumers have their own: an alarm blocks a connection that publishes,
/// including its acknowledgements.
const CONNECTIONS: usize = 2;
const CHANNELS: usize = 16;

/// The pool of confirm channels and what is needed to explain its failures.
pub(super) struct Channels {
    pool: managed::Pool<ConfirmChannels>,
    topology: Topology,
    doubt: Doubt,
    /// What bounds each call.
    pub(super) patience: Duration,
}

impl Channels {
    /// The pool; nothing in it is opened before it is needed.
    pub(super) fn open(broker: &Broker, topology: &Topology, patience: Duration) -> Result<Self, BrokerError> {
        let manager = ConfirmChannels { broker: broker.clone(), connections: broker.pool(CONNECTIONS)?, patience };
        let pool = managed::Pool::builder(manager)
            .max_size(CHANNELS)
            .runtime(deadpool::Runtime::Tokio1)
            .wait_timeout(Some(patience))
            .create_timeout(Some(patience))
            .recycle_timeout(Some(patience))
            .build()
            .map_err(|error| broker.with_context(Failure::new(Kind::Dependency, "amqp_pool", error.to_string())))?;
        Ok(Self { pool, topology: topology.clone(), doubt: Doubt::default(), patience })
    }

    /// Publishes a batch, on a channel that has to be there by `ready_by`; the answers are in the order of its messages.
    pub(super) async fn publish(&self, batch: &[Envelope], ready_by: Instant) -> Vec<Result<(), PublishError>> {
        let (begun, batch): (_, Vec<&Envelope>) = (Instant::now(), batch.iter().collect());
        let mut answers = self.publish_together(&batch, ready_by).await;
        let is_refused = |answer: &Result<(), PublishError>| matches!(answer, Err(PublishError::Refused(_)));
        if batch.len() > 1 && answers.iter().any(is_refused) {
            // For one of them the broker has closed the channel on all, without saying for which.
            for (place, envelope) in
                batch.iter().enumerate().filter(|(place, _)| is_refused(&answers[*place])).collect::<Vec<_>>()
            {
                let ready_by = Instant::now() + self.patience;
                answers[place] = self.publish_together(&[*envelope], ready_by).await.pop().unwrap_or(Ok(()));
            }
        }
        self.doubt.add(begun, &answers);
        answers
    }

    async fn publish_together(&self, batch: &[&Envelope], ready_by: Instant) -> Vec<Result<(), PublishError>> {
        if batch.is_empty() {
            return Vec::new();
        }
        let all = |error: PublishError| vec![Err(error); batch.len()];
        let until = Instant::now() + self.patience;
        let mut checkout = match tokio::time::timeout_at(ready_by, self.checkout()).await {
            Ok(Ok(checkout)) => checkout,
            Ok(Err(error)) => return all(self.explain(error)),
            // Nothing was sent.
            Err(_) => return all(self.late("opening a channel")),
        };
        let oversized: Vec<Option<PublishError>> = batch.iter().map(|envelope| checkout.oversized(envelope)).collect();
        let sent: Vec<&Envelope> =
            batch.iter().zip(&oversized).filter(|(_, over)| over.is_none()).map(|(envelope, _)| *envelope).collect();
        match tokio::time::timeout_at(until, publish_on(&checkout.channel, &sent)).await {
            Ok(Ok(mut answers)) => {
                // Every outcome is known, so nothing is outstanding on the channel. But one that was opened while the
                // queue had no leader may refuse for ever (seen with RabbitMQ 3.10), as if the queue were full.
                checkout.fit = !answers.contains(&Err(PublishError::Full));
                if !checkout.fit {
                    self.report_leaderless(&checkout, &sent, &mut answers, until).await;
                }
                let mut answers = answers.into_iter();
                let answer = |over: Option<PublishError>| over.map_or_else(|| answers.next().unwrap_or(Ok(())), Err);
                oversized.into_iter().map(answer).collect()
            }
            Ok(Err(error)) => all(self.explain(error)),
            Err(_) => {
                self.retire(&checkout);
                let known = self.doubt.now().filter(|doubt| matches!(doubt, PublishError::NoLeader(_)));
                all(known.unwrap_or(PublishError::Unconfirmed(self.patience)))
            }
        }
    }

    /// A refusal does not give a reason. But a queue that reports that it is empty is not full: it has no leader.
    async fn report_leaderless(
        &self,
        channel: &ConfirmChannel,
        batch: &[&Envelope],
        answers: &mut [Result<(), PublishError>],
        until: Instant,
    ) {
        let refused = answers.iter().position(|answer| *answer == Err(PublishError::Full));
        let Some(queue) = refused.and_then(|place| self.topology.fed_by(&batch[place].exchange)) else { return };
        let depth = tokio::time::timeout_at(until, ask(&channel.channel, &queue)).await;
        if matches!(depth, Ok(Ok(depth)) if depth == NOTHING) {
            let refused = answers.iter_mut().filter(|answer| **answer == Err(PublishError::Full));
            refused.for_each(|answer| *answer = Err(PublishError::NoLeader(queue.clone())));
        }
    }

    /// Takes the connection of a channel that did not answer in time out of the pool, unless an alarm blocks it. What
    /// is under way on it may still succeed.
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

    /// Asks whether the queue is there and has room, and a leader as far as the last messages tell.
    pub(super) async fn room(&self) -> Result<(), PublishError> {
        if self.pool.manager().is_blocked() {
            return Err(PublishError::Blocked);
        }
        let mut checkout = self.checkout().await.map_err(|error| self.explain(error))?;
        let queue = self.topology.queue();
        let Ok(asked) = tokio::time::timeout(self.patience, ask(&checkout.channel, &queue)).await else {
            self.retire(&checkout);
            return Err(self.late("reading the queue's depth"));
        };
        let depth = asked.map_err(|error| match classify(&error) {
            // The queue is missing, so the exchange is bound to nothing, and that is why messages failed.
            failure if failure.code == "amqp_404" => {
                self.doubt.end();
                PublishError::Unroutable(self.topology.exchange())
            }
            failure => self.explain(failure.into()),
        })?;
        checkout.fit = true;
        match self.doubt.now() {
            Some(_) if depth == NOTHING => return Err(self.doubt.is_the_leader(&queue)),
            // It has one again.
            Some(PublishError::NoLeader(_)) => self.doubt.end(),
            Some(unconfirmed) => return Err(unconfirmed),
            None => {}
        }
        if self.topology.is_full(depth.ready) { Err(PublishError::Full) } else { Ok(()) }
    }

    pub(super) async fn declare(&self) -> Result<(), TopologyError> {
        match self.pool.manager().connection().await {
            Ok(connection) => {
                let declared = self.topology.declare(&connection).await;
                if !matches!(declared, Err(TopologyError::Failed(_))) {
                    proven(connection);
                }
                declared
            }
            Err(BatchError::Failed(failure)) => Err(failure.into()),
            Err(error) => Err(Failure::new(Kind::Dependency, "amqp_blocked", error.to_string()).into()),
        }
    }

    /// A channel. It is not used again unless its user sets `fit`.
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

    /// The broker did not answer in time, before anything was sent to be kept.
    pub(super) fn late(&self, what: &str) -> PublishError {
        self.explain(Failure::timed_out("amqp", what, self.patience).into())
    }

    fn explain(&self, error: BatchError) -> PublishError {
        match error {
            BatchError::Blocked => PublishError::Blocked,
            BatchError::NoExchange(name) => PublishError::Unroutable(name),
            BatchError::Refused(why) => PublishError::Refused(why),
            BatchError::Failed(failure) => PublishError::Unreachable(self.pool.manager().broker.with_context(failure)),
        }
    }
}
