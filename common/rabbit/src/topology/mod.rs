//! The exchanges and queues: what they are called and how they are declared. The only place that spells a queue's name.
//!
//! ```text
//!  publish ──► PREFIX_exchange ──post──► PREFIX_queue ──► workers
//!                                            │ dead-lettered by a worker, or by the broker itself
//!                                            ▼
//!                                       PREFIX_dlx ──post──► PREFIX_dlq ──► `sluice dlq`
//! ```
//!
//! Both queues are quorum queues: what the broker has confirmed is on disk (on a cluster: on most disks).

mod drift;

pub use drift::Drift;

use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, Connection, ExchangeKind};

use crate::broker::bounded;
use sluice_core::config::BrokerArgs;
use sluice_core::failure::{Failure, Kind};

/// The routing key of every post, whatever the prefix.
pub const ROUTING_KEY: &str = "post";
/// The `type` property of a post's message.
pub const MESSAGE_TYPE: &str = "post.submitted";

/// How often the broker itself redelivers a post before it sets it aside. A broker crash counts too, so this is far
/// above the workers' own limit, which sees to crash loops first.
const QUEUE_DELIVERY_LIMIT: i64 = 20;
/// Each look at a dead letter is a redelivery. RabbitMQ 4 destroys what exceeds its default limit of 20, and 3.10
/// loses a dead letter at its first requeue when the limit is -1 ("none"): a million is safe on both.
const DLQ_DELIVERY_LIMIT: i64 = 1_000_000;

/// The names and arguments of one prefix.
#[derive(Debug, Clone)]
pub struct Topology {
    prefix: String,
    max_length: Option<u32>,
}

/// One exchange or queue, as it is to be.
#[derive(Debug, Clone)]
pub enum Entity {
    /// A durable direct exchange.
    Exchange {
        /// Its name.
        name: String,
    },
    /// A durable quorum queue, bound to an exchange by [`ROUTING_KEY`].
    Queue {
        /// Its name.
        name: String,
        /// The exchange that fills it.
        bound_to: String,
        /// Its arguments.
        arguments: Vec<(&'static str, AMQPValue)>,
    },
}

impl Topology {
    /// The topology these settings describe.
    #[must_use]
    pub fn new(args: &BrokerArgs) -> Self {
        Self { prefix: args.prefix.as_str().to_owned(), max_length: args.max_length }
    }

    /// Where posts are published.
    #[must_use]
    pub fn exchange(&self) -> String {
        format!("{}_exchange", self.prefix)
    }

    /// Where posts wait.
    #[must_use]
    pub fn queue(&self) -> String {
        format!("{}_queue", self.prefix)
    }

    /// Where dead letters are published.
    #[must_use]
    pub fn dead_letter_exchange(&self) -> String {
        format!("{}_dlx", self.prefix)
    }

    /// Where dead letters wait for an operator.
    #[must_use]
    pub fn dead_letter_queue(&self) -> String {
        format!("{}_dlq", self.prefix)
    }

    /// The queue that only exists while somebody looks at the dead letters: whoever holds it exclusively has the lock.
    #[must_use]
    pub fn browser_lock(&self) -> String {
        format!("{}_dlq_look", self.prefix)
    }

    /// Where workers are asked what they are doing. Only there while a worker is.
    #[must_use]
    pub fn worker_status(&self) -> String {
        format!("{}_worker_status", self.prefix)
    }

    /// Whether a queue of this length takes no more.
    #[must_use]
    pub fn is_full(&self, ready: u32) -> bool {
        self.max_length.is_some_and(|max| ready >= max)
    }

    /// All exchanges and queues, the dead letters' first: a post can never be dead-lettered to a place that is not
    /// there.
    #[must_use]
    pub fn entities(&self) -> Vec<Entity> {
        let text = |value: &str| AMQPValue::LongString(value.into());
        let mut queue_arguments = vec![
            ("x-queue-type", text("quorum")),
            ("x-dead-letter-exchange", text(&self.dead_letter_exchange())),
            ("x-dead-letter-routing-key", text(ROUTING_KEY)),
            // At-least-once dead-lettering needs reject-publish; without it the broker falls back to at-most-once and
            // says nothing.
            ("x-dead-letter-strategy", text("at-least-once")),
            ("x-overflow", text("reject-publish")),
            ("x-delivery-limit", AMQPValue::LongLongInt(QUEUE_DELIVERY_LIMIT)),
        ];
        if let Some(posts) = self.max_length {
            queue_arguments.push(("x-max-length", AMQPValue::LongLongInt(posts.into())));
        }
        vec![
            Entity::Exchange { name: self.dead_letter_exchange() },
            Entity::Queue {
                name: self.dead_letter_queue(),
                bound_to: self.dead_letter_exchange(),
                arguments: vec![
                    ("x-queue-type", text("quorum")),
                    ("x-delivery-limit", AMQPValue::LongLongInt(DLQ_DELIVERY_LIMIT)),
                ],
            },
            Entity::Exchange { name: self.exchange() },
            Entity::Queue { name: self.queue(), bound_to: self.exchange(), arguments: queue_arguments },
        ]
    }

    /// Declares everything; what is there already must be the same.
    ///
    /// # Errors
    /// [`TopologyError::Drift`] when an exchange or queue is there with other arguments, [`TopologyError::Failed`] when
    /// the broker could not be asked.
    pub async fn declare(&self, connection: &Connection) -> Result<(), TopologyError> {
        for entity in self.entities() {
            // The broker closes the channel of a declaration it refuses, so each entity has its own.
            let channel = open(connection).await?;
            entity.declare(&channel).await?;
            let _ = bounded("closing a channel", TIMEOUT, channel.close(200, "done".into())).await;
        }
        Ok(())
    }

    /// Compares with the broker and changes nothing there. Empty: all is as it should be.
    ///
    /// # Errors
    /// When the broker could not be asked.
    pub async fn differences(&self, connection: &Connection) -> Result<Vec<Drift>, TopologyError> {
        let mut found = Vec::new();
        for entity in self.entities() {
            entity.differences(connection, &mut found).await?;
        }
        Ok(found)
    }

    /// How many posts wait in the queue, and how many consumers it has.
    ///
    /// # Errors
    /// When the broker could not be asked, or the queue is not there.
    pub async fn queue_depth(&self, connection: &Connection) -> Result<Depth, Failure> {
        depth(connection, &self.queue()).await
    }

    /// How many dead letters wait.
    ///
    /// # Errors
    /// As [`Self::queue_depth`].
    pub async fn dead_letter_depth(&self, connection: &Connection) -> Result<Depth, Failure> {
        depth(connection, &self.dead_letter_queue()).await
    }
}

/// What a queue holds, without the messages that are unacknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Depth {
    /// Messages ready for delivery.
    pub ready: u32,
    /// Consumers.
    pub consumers: u32,
}

/// The longest wait for one answer of the broker.
const TIMEOUT: Duration = Duration::from_secs(5);

async fn open(connection: &Connection) -> Result<Channel, Failure> {
    bounded("opening a channel", TIMEOUT, connection.create_channel()).await
}

async fn depth(connection: &Connection, queue: &str) -> Result<Depth, Failure> {
    let channel = open(connection).await?;
    for _ in 0..DEPTH_TRIES {
        let asked = std::time::Instant::now();
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let declared = channel.queue_declare(queue.into(), options, FieldTable::default());
        let told = bounded("reading a queue's depth", TIMEOUT, declared).await?;
        let depth = Depth { ready: told.message_count(), consumers: told.consumer_count() };
        if depth != NOTHING || asked.elapsed() < DEPTH_DOUBTFUL {
            let _ = bounded("closing a channel", TIMEOUT, channel.close(200, "done".into())).await;
            return Ok(depth);
        }
    }
    let overloaded = format!("the broker did not report the length of queue `{queue}`: it is overloaded");
    Err(Failure::new(Kind::Dependency, "amqp_timeout", overloaded))
}

/// What the broker says of a queue that holds nothing, and also of a quorum queue that has not answered the broker's
/// own question within 250 ms. An answer that took so long is not believed.
const NOTHING: Depth = Depth { ready: 0, consumers: 0 };
const DEPTH_DOUBTFUL: Duration = Duration::from_millis(240);
const DEPTH_TRIES: u32 = 20;

impl Entity {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Exchange { name } | Self::Queue { name, .. } => name,
        }
    }

    async fn declare(&self, channel: &Channel) -> Result<(), TopologyError> {
        let declared = match self {
            Self::Exchange { .. } => self.assert(channel, &[], false).await,
            Self::Queue { name, bound_to, arguments } => match self.assert(channel, arguments, false).await {
                Ok(()) => {
                    let (queue, exchange) = (name.as_str().into(), bound_to.as_str().into());
                    let bind = channel.queue_bind(
                        queue,
                        exchange,
                        ROUTING_KEY.into(),
                        QueueBindOptions::default(),
                        FieldTable::default(),
                    );
                    bounded("binding a queue", TIMEOUT, bind).await
                }
                refused => refused,
            },
        };
        declared.map_err(|failure| match Drift::read(self.name(), &failure) {
            Some(drift) => TopologyError::Drift(drift),
            None => TopologyError::Failed(failure),
        })
    }

    /// Declares it with these arguments, or (passively) only asks whether it is there.
    async fn assert(
        &self,
        channel: &Channel,
        arguments: &[(&'static str, AMQPValue)],
        passive: bool,
    ) -> Result<(), Failure> {
        match self {
            Self::Exchange { name } => {
                let options = ExchangeDeclareOptions { durable: true, passive, ..ExchangeDeclareOptions::default() };
                let declare = channel.exchange_declare(
                    name.as_str().into(),
                    ExchangeKind::Direct,
                    options,
                    FieldTable::default(),
                );
                bounded("declaring an exchange", TIMEOUT, declare).await
            }
            Self::Queue { name, .. } => {
                let options = QueueDeclareOptions { durable: true, passive, ..QueueDeclareOptions::default() };
                let table = table(arguments);
                bounded("declaring a queue", TIMEOUT, channel.queue_declare(name.as_str().into(), options, table))
                    .await
                    .map(drop)
            }
        }
    }

    /// Collects every difference. The broker names one at a time, so each one found is taken over into what is asked
    /// next, until it agrees.
    async fn differences(&self, connection: &Connection, found: &mut Vec<Drift>) -> Result<(), TopologyError> {
        // Never declare what is not there: asking must not create.
        if let Err(failure) = self.assert(&open(connection).await?, &[], true).await {
            if failure.code != "amqp_404" {
                return Err(TopologyError::Failed(failure));
            }
            found.push(Drift::missing(self.name()));
            return Ok(());
        }
        let mut arguments = match self {
            Self::Exchange { .. } => Vec::new(),
            Self::Queue { arguments, .. } => arguments.clone(),
        };
        // One round for each argument there can be, and no endless talk with a broker that never agrees.
        for _ in 0..32 {
            let Err(failure) = self.assert(&open(connection).await?, &arguments, false).await else { return Ok(()) };
            let Some(drift) = Drift::read(self.name(), &failure) else { return Err(TopologyError::Failed(failure)) };
            let taken_over = drift.take_over(&mut arguments);
            found.push(drift);
            if !taken_over {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn table(arguments: &[(&'static str, AMQPValue)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in arguments {
        table.insert(ShortString::from(*name), value.clone());
    }
    table
}

/// Why the topology could not be declared or compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopologyError {
    /// Something is there with other arguments. Only an operator can say which of the two is meant.
    #[error(
        "the queues in RabbitMQ differ from what this program declares ({0}); `sluice topology check` lists every \
         difference: delete the queue when it is empty, or start with the settings it was declared with"
    )]
    Drift(Drift),
    /// The broker could not be asked.
    #[error("the queues in RabbitMQ could not be checked: {0}")]
    Failed(#[from] Failure),
}
