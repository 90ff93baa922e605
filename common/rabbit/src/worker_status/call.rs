//! The client side.

use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::BasicProperties;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions};
use lapin::types::FieldTable;
use tokio::time::Instant;

use super::{PURPOSE, WorkerStatus};
use crate::broker::{Broker, BrokerError, bounded, close};
use crate::failure::classify;
use crate::topology::Topology;
use sluice_core::failure::Failure;
use sluice_core::natural::natural_order;

/// The name of RabbitMQ's direct reply-to, for which no queue is declared.
const STRAIGHT_BACK: &str = "amq.rabbitmq.reply-to";
/// The longest wait for one answer of the broker itself.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes, and the most answers: any program that sees the request can answer it.
const ANSWER_MAX_BYTES: usize = 16 * 1024;
const ANSWERS_MAX: usize = 10_000;

/// Sends the request and collects answers for `patience`, by name. The number of workers is not known: a worker that
/// hangs, or whose answer the broker blocks, is missing.
///
/// # Errors
/// When the broker cannot be queried.
pub async fn call(broker: &Broker, topology: &Topology, patience: Duration) -> Result<Vec<WorkerStatus>, BrokerError> {
    let connection = broker.apart(PURPOSE).connect().await?;
    let heard = collect(&connection, &topology.worker_status(), patience).await;
    close(&connection).await;
    let mut heard = heard.map_err(|failure| broker.with_context(failure))?;
    heard.sort_by(|one, other| natural_order(&one.worker, &other.worker).then(one.pid.cmp(&other.pid)));
    Ok(heard)
}

async fn collect(
    connection: &lapin::Connection,
    exchange: &str,
    patience: Duration,
) -> Result<Vec<WorkerStatus>, Failure> {
    let channel = bounded("opening a channel", TIMEOUT, connection.create_channel()).await?;
    let unanswered = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let consume = channel.basic_consume(STRAIGHT_BACK.into(), "".into(), unanswered, FieldTable::default());
    let mut answers = bounded("listening for answers", TIMEOUT, consume).await?;
    let properties = BasicProperties::default().with_reply_to(STRAIGHT_BACK.into());
    let publish = channel.basic_publish(exchange.into(), "".into(), BasicPublishOptions::default(), b"", properties);
    bounded("calling", TIMEOUT, publish).await?;
    let mut heard = Vec::new();
    let until = Instant::now() + patience;
    while let Ok(Some(answer)) = tokio::time::timeout_at(until, answers.next()).await {
        match answer {
            Ok(_) if heard.len() == ANSWERS_MAX => break,
            Ok(answer) if answer.data.len() > ANSWER_MAX_BYTES => {}
            Ok(answer) => heard.extend(serde_json::from_slice::<WorkerStatus>(&answer.data).ok()),
            Err(error) => match classify(&error) {
                // No worker has declared the exchange, so none is running.
                missing if missing.code == "amqp_404" => break,
                failure => return Err(failure),
            },
        }
    }
    Ok(heard)
}
