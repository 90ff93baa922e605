//! How many messages wait in a queue.

use std::time::{Duration, Instant};

use lapin::Connection;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;

use super::{TIMEOUT, open};
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

/// The broker's answer for an empty queue, and also for a quorum queue that has not answered the broker itself within
/// 250 ms. So after about that time the answer is asked for again.
const NOTHING: Depth = Depth { ready: 0, consumers: 0 };
const DOUBTFUL: Duration = Duration::from_millis(240);
const TRIES: u32 = 20;

pub(super) async fn read(connection: &Connection, queue: &str) -> Result<Depth, Failure> {
    let channel = open(connection).await?;
    for _ in 0..TRIES {
        let asked = Instant::now();
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let declared = channel.queue_declare(queue.into(), options, FieldTable::default());
        let answer = bounded("asking for a queue's depth", TIMEOUT, declared).await?;
        let depth = Depth { ready: answer.message_count(), consumers: answer.consumer_count() };
        if depth != NOTHING || asked.elapsed() < DOUBTFUL {
            let _ = bounded("closing a channel", TIMEOUT, channel.close(200, "done".into())).await;
            return Ok(depth);
        }
    }
    let overloaded = format!("queue `{queue}` does not say how long it is: the broker is overloaded");
    Err(Failure::new(Kind::Dependency, "amqp_timeout", overloaded))
}
