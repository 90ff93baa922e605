//! A worker's side: it answers each call, for as long as it lives.

use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Consumer, ExchangeKind};
use tokio_util::sync::CancellationToken;

use super::{PURPOSE, Presence};
use crate::broker::{Broker, bounded, close};
use crate::failure::Failure;
use crate::retry::RetryPolicy;
use crate::topology::Topology;

/// How the connection is rebuilt.
const REBUILD: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// The longest wait for one answer of the broker.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Answers calls with what `presence` says at that moment, until `end`. A lost connection is built anew, quietly: who
/// consumes over another one says what is wrong.
pub async fn answer(broker: &Broker, topology: &Topology, presence: impl Fn() -> Presence, end: CancellationToken) {
    let broker = broker.apart(PURPOSE);
    let mut schedule = RetryPolicy::forever(REBUILD.0, REBUILD.1).schedule();
    loop {
        let answering = async {
            let connection = broker.connect().await.map_err(|error| error.failure)?;
            let ended = async {
                let (channel, calls) = listen(&connection, &topology.roll_call()).await?;
                schedule.reset();
                answer_all(&channel, calls, &presence).await
            }
            .await;
            close(&connection).await;
            ended
        };
        let ended: Result<(), Failure> = tokio::select! {
            () = end.cancelled() => return,
            ended = answering => ended,
        };
        if let Err(failure) = ended {
            tracing::debug!(%failure, "the roll call's connection ended");
        }
        tokio::select! {
            () = end.cancelled() => return,
            () = tokio::time::sleep(schedule.next_wait(fastrand::f64())) => {}
        }
    }
}

/// An exchange and a queue that go when nobody uses them any more.
async fn listen(connection: &lapin::Connection, exchange: &str) -> Result<(Channel, Consumer), Failure> {
    let channel = bounded("opening a channel", TIMEOUT, connection.create_channel()).await?;
    let fleeting = ExchangeDeclareOptions { auto_delete: true, ..ExchangeDeclareOptions::default() };
    let declare = channel.exchange_declare(exchange.into(), ExchangeKind::Fanout, fleeting, FieldTable::default());
    bounded("declaring the roll call's exchange", TIMEOUT, declare).await?;
    let own = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
    let declare = channel.queue_declare("".into(), own, FieldTable::default());
    let queue = bounded("declaring a queue for the roll call", TIMEOUT, declare).await?.name().clone();
    let bind = channel.queue_bind(
        queue.clone(),
        exchange.into(),
        "".into(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    bounded("binding a queue for the roll call", TIMEOUT, bind).await?;
    let unanswered = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let consume = channel.basic_consume(queue, "".into(), unanswered, FieldTable::default());
    let calls = bounded("listening for the roll call", TIMEOUT, consume).await?;
    Ok((channel, calls))
}

async fn answer_all(channel: &Channel, mut calls: Consumer, presence: impl Fn() -> Presence) -> Result<(), Failure> {
    while let Some(call) = calls.next().await {
        let call = call?;
        let Some(caller) = call.properties.reply_to() else { continue };
        // Numbers, names and dates: nothing in it can fail to become JSON.
        let body = serde_json::to_vec(&presence()).unwrap_or_default();
        let properties = BasicProperties::default().with_content_type("application/json".into());
        let publish =
            channel.basic_publish("".into(), caller.clone(), BasicPublishOptions::default(), &body, properties);
        bounded("answering the roll call", TIMEOUT, publish).await?;
    }
    Ok(())
}
