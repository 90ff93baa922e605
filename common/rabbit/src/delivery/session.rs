//! A session: one connection, one channel, K consumers on it. It ends at its first error; a new one is opened then.
//!
//! All consumers share one channel: the prefetch limit counts for each consumer by itself (`basic.qos` with
//! `global=false`), and one channel was measured a third faster than a channel each.
//!
//! A process's first consumer has the highest priority, its second the next lower one, and so on. The broker prefers
//! the highest priority that is free, so processes take turns whatever the order in which their consumers were started.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use deadpool_lapin::lapin;
use futures_util::Stream;
use futures_util::future::try_join_all;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection};
use scopeguard::ScopeGuard;

use super::Delivery;
use super::answers::Answers;
use crate::broker::{Broker, BrokerError, bounded};
use crate::failure::{classify, of_declared};
use crate::topology::{Topology, TopologyError};
use sluice_core::failure::Failure;
use tokio_util::sync::CancellationToken;

/// The longest wait for one answer of the broker.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How many priorities there are; further consumers share the last one. Light traffic keeps fewer posts in flight than
/// that, and the broker looks through a list of them at each delivery.
const PRIORITIES: i32 = 8;

/// An open session.
pub struct Session {
    connection: Connection,
    channel: Channel,
    answers: Answers,
    queue: String,
    /// How the consumers' names begin.
    tag: String,
    tags: Vec<String>,
    /// How many of them, the oldest, are not cancelled.
    left: AtomicUsize,
}

/// The deliveries of one consumer. It ends when the consumer was cancelled, by us or by the broker (its queue is gone,
/// its leader moved), or when the session broke.
pub struct Deliveries {
    consumer: lapin::Consumer,
    answers: Answers,
}

/// Why no session could be opened.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenError {
    /// The broker cannot be used.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The queues are not there as declared.
    #[error(transparent)]
    Topology(#[from] TopologyError),
}

impl Session {
    /// Connects, declares the topology and starts one consumer with one post in flight. The others come with
    /// [`Self::widen`].
    ///
    /// Returned posts are first in the queue, and one of them may be a post that kills workers. If posts are taken one
    /// at a time, only that post gets nearer to its limit.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(broker: &Broker, topology: &Topology, tag: &str) -> Result<(Self, Deliveries), OpenError> {
        let with_context = |failure: Failure| OpenError::Broker(broker.with_context(of_declared(failure)));
        let connection = broker.connect().await?;
        topology.declare(&connection).await?;
        let channel = bounded("opening a channel", TIMEOUT, connection.create_channel()).await.map_err(with_context)?;
        let (answers, queue) = (Answers::over(channel.clone()), topology.queue());
        let session = Self {
            connection,
            channel,
            answers,
            queue,
            tag: tag.to_owned(),
            tags: Vec::new(),
            left: AtomicUsize::new(usize::MAX),
        };
        // On a queue without a leader, a consumer that was given up would begin to receive posts once there is one.
        let mut session = scopeguard::guard(session, |given_up| drop(tokio::spawn(given_up.close())));
        let first = session.start(1, 1, &CancellationToken::new()).await.map_err(with_context)?.remove(0);
        Ok((ScopeGuard::into_inner(session), first))
    }

    /// Starts the other consumers: `consumers` with `prefetch` posts in flight each. The first one is among them,
    /// unless they may have more in flight than it has. Fewer are started when `stop` comes first: each is a round
    /// trip, and for a quorum queue one to the brokers' disks.
    ///
    /// # Errors
    /// The broker's; the session is of no use then.
    pub async fn widen(
        &mut self,
        consumers: u16,
        prefetch: u16,
        stop: &CancellationToken,
    ) -> Result<Vec<Deliveries>, Failure> {
        let more = if prefetch == 1 { consumers.saturating_sub(1) } else { consumers };
        self.start(more, prefetch, stop).await
    }

    async fn start(
        &mut self,
        consumers: u16,
        prefetch: u16,
        stop: &CancellationToken,
    ) -> Result<Vec<Deliveries>, Failure> {
        let qos = self.channel.basic_qos(prefetch, BasicQosOptions { global: false });
        bounded("setting the prefetch", TIMEOUT, qos).await?;
        let mut streams = Vec::with_capacity(consumers.into());
        for _ in 0..consumers {
            // Stops only between two consumers: otherwise the broker could have a consumer to which nobody listens, and
            // send posts to it.
            if stop.is_cancelled() {
                break;
            }
            let tag = format!("{}/{}", self.tag, self.tags.len() + 1);
            let (queue, options) = (self.queue.as_str().into(), BasicConsumeOptions::default());
            let consume = self.channel.basic_consume(queue, tag.as_str().into(), options, priority(self.tags.len()));
            let consumer = bounded("starting a consumer", TIMEOUT, consume).await?;
            streams.push(Deliveries { consumer, answers: self.answers.clone() });
            self.tags.push(tag);
        }
        Ok(streams)
    }

    /// Stops deliveries to all consumers but the `kept` oldest. Posts in flight stay in flight until they are settled;
    /// each stream ends after its remaining deliveries.
    ///
    /// The first one is cancelled alone, and nothing is acknowledged meanwhile. An acknowledgement brings its consumer
    /// the next post, and RabbitMQ's channel sends that only after it has carried out all cancellations that wait: those
    /// posts then belong to nobody until the connection ends, and come back one delivery nearer to their limit. A
    /// cancellation is answered when the queue has carried out what came before it, so by then they are here, and only
    /// the first consumer's may be lost that way.
    ///
    /// All others are cancelled at once: one after the other, over a slow line, the last would still get posts when the
    /// time for a stop is over.
    ///
    /// Whoever cancels the two oldest one by one, after the others have settled their posts, loses no acknowledgement.
    /// RabbitMQ's channel puts acknowledgements aside while more than `quorum_commands_soft_limit` (32) of its commands
    /// wait to be carried out by the queue, and drops them when it is closed (`rabbit_fifo_client.erl`). A cancellation
    /// is answered when the queue has carried out what came before it; then the channel passes on what it had put aside.
    /// That may be more than the limit again, which the second cancellation waits for.
    pub async fn cancel(&self, kept: usize) {
        let cancel = |tag: &String| {
            let cancel = self.channel.basic_cancel(tag.as_str().into(), BasicCancelOptions::default());
            bounded("cancelling a consumer", TIMEOUT, cancel)
        };
        let mut tags = self.tags.iter().take(self.left.load(Ordering::Relaxed)).skip(kept);
        let _held = self.answers.hold().await;
        // Where one fails, the channel is gone, and all consumers with it.
        if let Some(first) = tags.next()
            && cancel(first).await.is_ok()
        {
            let _ = try_join_all(tags.map(cancel)).await;
        }
        self.left.store(kept, Ordering::Relaxed);
    }

    /// Ends the session. Unsettled deliveries return to the queue.
    ///
    /// Waits longer than other connections do: the socket of a connection that is dropped before the broker has answered
    /// is reset if deliveries are unread in it, and the acknowledgements that the broker had not read yet are lost.
    pub async fn close(self) {
        let _ = bounded("closing the connection", TIMEOUT, self.connection.close(200, "done".into())).await;
    }
}

/// The arguments of the consumer with this number. They go down from 0, so that consumers of others, who have no
/// priority, are not put last.
fn priority(number: usize) -> FieldTable {
    let below = i32::try_from(number).unwrap_or(i32::MAX).min(PRIORITIES - 1);
    let mut arguments = FieldTable::default();
    arguments.insert("x-priority".into(), AMQPValue::LongInt(-below));
    arguments
}

impl Stream for Deliveries {
    type Item = Result<Delivery, Failure>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let next = std::task::ready!(Pin::new(&mut this.consumer).poll_next(cx));
        Poll::Ready(
            next.map(|got| got.map(|got| Delivery::new(got, this.answers.clone())).map_err(|error| classify(&error))),
        )
    }
}
