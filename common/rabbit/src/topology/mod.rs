//! The exchanges and queues: their names and arguments. The only place that spells a queue's name.
//!
//! ```text
//!  publish ──► PREFIX_exchange ──post──► PREFIX_queue ──► workers
//!                                            │ dead-lettered by a worker, or by the broker itself
//!                                            ▼
//!                                       PREFIX_dlx ──post──► PREFIX_dlq ──► `sluice dlq`
//! ```
//!
//! Both queues are quorum queues: what the broker has confirmed is on disk, on a cluster on the disks of a majority.

mod decisions;
mod depth;
mod drift;
mod entity;
mod leader;
mod permissions;

pub use depth::Depth;
pub(crate) use depth::{NOTHING, ask};
pub use drift::Drift;
pub use entity::Entity;
pub(crate) use leader::NO_LEADER;
pub use leader::no_leader;
pub use permissions::Permissions;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lapin::types::AMQPValue;
use lapin::{Channel, Connection};

use crate::broker::bounded;
use sluice_core::config::BrokerArgs;
use sluice_core::failure::Failure;

/// The routing key of every post, whatever the prefix.
pub const ROUTING_KEY: &str = "post";
/// The `type` property of a post's message.
pub const MESSAGE_TYPE: &str = "post.submitted";

/// How often the broker redelivers a post before it dead-letters it. A crash of the broker counts too, so this is far
/// above the workers' own limit for crash loops.
const QUEUE_DELIVERY_LIMIT: i64 = 20;
/// Each browse is a redelivery. RabbitMQ 4 destroys what exceeds its default limit of 20, and 3.10 loses a dead letter
/// at its first requeue when the limit is -1 ("none"): a million is safe on both.
const DLQ_DELIVERY_LIMIT: i64 = 1_000_000;

/// The longest wait for one answer of the broker.
const TIMEOUT: Duration = Duration::from_secs(5);

async fn open(connection: &Connection) -> Result<Channel, Failure> {
    bounded("opening a channel", TIMEOUT, connection.create_channel()).await
}

/// The names and arguments of one prefix.
#[derive(Debug, Clone)]
pub struct Topology {
    prefix: String,
    max_length: Option<u32>,
    /// The broker has refused a declaration: this user may only use what others have declared.
    barred: Arc<AtomicBool>,
}

/// The code of a refusal because of permissions.
const MAY_NOT: &str = "amqp_403";

/// The failure of a user who may not declare what is not there.
fn missing(entity: &Entity, refused: &Failure) -> Failure {
    let message = format!(
        "{} is not there, and this user may not declare it ({}); run `sluice topology apply` as a user who may, or \
         give this one the permission that `sluice grants rabbitmq` prints for operators",
        entity.name(),
        refused.message
    );
    Failure::new(refused.kind, MAY_NOT, message)
}

/// Whether it is not there, as far as the broker tells. RabbitMQ 4.3 tells a user only of what the user has a permission
/// on; whoever has none does not use it.
async fn is_missing(entity: &Entity, connection: &Connection) -> Result<bool, Failure> {
    match entity.is_there(connection).await {
        Err(failure) if failure.code == MAY_NOT => Ok(false),
        found => found.map(|there| !there),
    }
}

impl Topology {
    /// The topology these settings describe.
    #[must_use]
    pub fn new(args: &BrokerArgs) -> Self {
        Self { prefix: args.prefix.as_str().to_owned(), max_length: args.max_length, barred: Arc::default() }
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

    /// The queue that exists only while somebody browses the dead letters: its exclusive owner has the lock.
    #[must_use]
    pub fn browser_lock(&self) -> String {
        format!("{}_dlq_look", self.prefix)
    }

    /// Where requests for worker status are published. It exists only while a worker does.
    #[must_use]
    pub fn worker_status(&self) -> String {
        format!("{}_worker_status", self.prefix)
    }

    /// Where workers tell each other of posts. It exists only while a worker does.
    #[must_use]
    pub fn near_copies(&self) -> String {
        format!("{}_near_copies", self.prefix)
    }

    /// Whether a queue of this length refuses further posts.
    #[must_use]
    pub fn is_full(&self, ready: u32) -> bool {
        self.max_length.is_some_and(|max| ready >= max)
    }

    /// All exchanges and queues. Those of the dead letters come first, so that a post can always be dead-lettered.
    #[must_use]
    pub fn entities(&self) -> Vec<Entity> {
        let text = |value: &str| AMQPValue::LongString(value.into());
        let mut queue_arguments = vec![
            ("x-queue-type", text("quorum")),
            ("x-dead-letter-exchange", text(&self.dead_letter_exchange())),
            ("x-dead-letter-routing-key", text(ROUTING_KEY)),
            // Without reject-publish the broker silently falls back to at-most-once dead-lettering.
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

    /// Declares everything; what exists already must have the same arguments. A user who may not declare it can use
    /// what exists, but does not learn whether its arguments are the same.
    ///
    /// # Errors
    /// [`TopologyError`].
    pub async fn declare(&self, connection: &Connection) -> Result<(), TopologyError> {
        for entity in self.entities() {
            // Each refusal is an error in the broker's log: after the first one, it is only looked.
            if self.barred.load(Ordering::Relaxed) && !is_missing(&entity, connection).await? {
                continue;
            }
            // The broker closes the channel of a declaration that it refuses, so each entity has its own.
            let channel = open(connection).await?;
            match entity.declare(&channel).await {
                Ok(()) => drop(bounded("closing a channel", TIMEOUT, channel.close(200, "done".into())).await),
                Err(TopologyError::Failed(refused)) if refused.code == MAY_NOT => {
                    self.barred.store(true, Ordering::Relaxed);
                    if is_missing(&entity, connection).await? {
                        return Err(missing(&entity, &refused).into());
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether the broker has refused a declaration, so that only what is there was looked at.
    #[must_use]
    pub fn only_looked(&self) -> bool {
        self.barred.load(Ordering::Relaxed)
    }

    /// Compares with the broker and changes nothing there.
    ///
    /// # Errors
    /// [`TopologyError::Failed`].
    pub async fn differences(&self, connection: &Connection) -> Result<Vec<Drift>, TopologyError> {
        let mut found = Vec::new();
        for entity in self.entities() {
            entity.differences(connection, &mut found).await?;
        }
        Ok(found)
    }

    /// The queue that an exchange fills, if it is one of ours.
    pub(crate) fn fed_by(&self, exchange: &str) -> Option<String> {
        if exchange == self.exchange() {
            Some(self.queue())
        } else if exchange == self.dead_letter_exchange() {
            Some(self.dead_letter_queue())
        } else {
            None
        }
    }
}

/// Why the topology could not be declared or compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopologyError {
    /// An exchange or queue exists with other arguments. Only an operator can decide which are right.
    #[error(
        "the queues in RabbitMQ differ from what this program declares ({0}); `sluice topology check` lists every \
         difference: delete the queue when it is empty, or start with the settings it was declared with"
    )]
    Drift(Drift),
    /// The broker could not be asked.
    #[error("the queues in RabbitMQ could not be checked: {0}")]
    Failed(#[from] Failure),
}
