//! How many messages wait in a queue.

use std::time::{Duration, Instant};

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Channel, Connection};

use super::{TIMEOUT, Topology, open};
use crate::broker::bounded;
use sluice_core::failure::{Failure, Kind};

/// What a queue holds, without the messages that are unacknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Depth {
    /// Messages ready for delivery.
    pub ready: u32,
    /// Consumers.
    pub consumers: u32,
}

/// The broker's answer for an empty queue, for one without a leader, and also for a quorum queue that has not answered
/// the broker itself within 250 ms. So after about that time the answer is asked for again.
pub(crate) const NOTHING: Depth = Depth { ready: 0, consumers: 0 };
const DOUBTFUL: Duration = Duration::from_millis(240);
const TRIES: u32 = 20;

impl Topology {
    /// How many posts wait in the queue, and how many consumers it has.
    ///
    /// # Errors
    /// When the broker could not be asked, or the queue does not exist.
    pub async fn queue_depth(&self, connection: &Connection) -> Result<Depth, Failure> {
        read(connection, &self.queue()).await
    }

    /// How many dead letters wait.
    ///
    /// # Errors
    /// As [`Self::queue_depth`].
    pub async fn dead_letter_depth(&self, connection: &Connection) -> Result<Depth, Failure> {
        read(connection, &self.dead_letter_queue()).await
    }
}

/// What a queue reports of itself, once, on a channel that ends if there is no such queue.
pub(crate) async fn ask(channel: &Channel, queue: &str) -> lapin::Result<Depth> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let answer = channel.queue_declare(queue.into(), options, FieldTable::default()).await?;
    Ok(Depth { ready: answer.message_count(), consumers: answer.consumer_count() })
}

pub(super) async fn read(connection: &Connection, queue: &str) -> Result<Depth, Failure> {
    let channel = open(connection).await?;
    for _ in 0..TRIES {
        let asked = Instant::now();
        let depth = bounded("reading a queue's depth", TIMEOUT, ask(&channel, queue)).await?;
        if depth != NOTHING || asked.elapsed() < DOUBTFUL {
            let _ = bounded("closing a channel", TIMEOUT, channel.close(200, "done".into())).await;
            return Ok(depth);
        }
    }
    let overloaded = format!("the broker did not report the length of queue `{queue}`: it is overloaded");
    Err(Failure::new(Kind::Dependency, "amqp_timeout", overloaded))
}
