//! What every worker hears: a fan-out exchange, and a queue of each listener's own.

use std::time::Duration;

use lapin::options::{BasicConsumeOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, Consumer, ExchangeKind};

use crate::broker::bounded;
use sluice_core::failure::Failure;

/// The longest wait for one answer of the broker.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Listens at an exchange. Exchange and queue are deleted when nobody uses them any more; what comes is not
/// acknowledged. The arguments are the queue's.
pub(crate) async fn listen(
    connection: &Connection,
    exchange: &str,
    arguments: FieldTable,
) -> Result<(Channel, Consumer), Failure> {
    let channel = bounded("opening a channel", TIMEOUT, connection.create_channel()).await?;
    let fleeting = ExchangeDeclareOptions { auto_delete: true, ..ExchangeDeclareOptions::default() };
    let declare = channel.exchange_declare(exchange.into(), ExchangeKind::Fanout, fleeting, FieldTable::default());
    bounded("declaring a fan-out exchange", TIMEOUT, declare).await?;
    let own = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
    let declare = channel.queue_declare("".into(), own, arguments);
    let queue = bounded("declaring a queue of its own", TIMEOUT, declare).await?.name().clone();
    let bind = channel.queue_bind(
        queue.clone(),
        exchange.into(),
        "".into(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    bounded("binding a queue of its own", TIMEOUT, bind).await?;
    let unanswered = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let consume = channel.basic_consume(queue, "".into(), unanswered, FieldTable::default());
    let heard = bounded("listening at a fan-out exchange", TIMEOUT, consume).await?;
    Ok((channel, heard))
}
