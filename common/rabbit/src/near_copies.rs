//! What workers tell each other of the posts that they reviewed, so that all of them see the near copies that any sees.
//!
//! ```text
//!  worker ──batch──► PREFIX_near_copies ──► a queue of each worker's own ──► every worker
//! ```
//!
//! As with the worker status, all of this is apart from the posts: its own connection, nothing durable, nothing
//! confirmed. Nobody waits for it, and what is lost is lost: a worker then counts fewer copies.

use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::options::BasicPublishOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Consumer};
use sluice_core::failure::Failure;
use sluice_core::retry::RetryPolicy;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::broker::{Broker, bounded, close};
use crate::failure::classify;
use crate::fan_out::listen;
use crate::topology::Topology;

/// How these connections are named in RabbitMQ's lists.
const PURPOSE: &str = "near copies";
/// How the connection is rebuilt.
const REBUILD: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// The longest wait for one answer of the broker.
const TIMEOUT: Duration = Duration::from_secs(5);
/// What RabbitMQ keeps for a worker that does not read, in bytes; then the oldest batches go.
const WAITING_MAX_BYTES: i64 = 4 * 1024 * 1024;

/// Publishes what is in `outgoing`, and hands over what any worker has published, this one too, until `end`. A lost
/// connection is reopened without a log line, because the consuming connection logs the problem; a missing permission
/// is logged once.
pub async fn share(
    broker: &Broker,
    topology: &Topology,
    mut outgoing: mpsc::Receiver<Vec<u8>>,
    heard: impl Fn(&[u8]),
    end: CancellationToken,
) {
    let broker = broker.apart(PURPOSE);
    let mut schedule = RetryPolicy::forever(REBUILD.0, REBUILD.1).schedule();
    let mut is_refused = false;
    loop {
        let sharing = async {
            let connection = broker.connect().await.map_err(|error| error.failure)?;
            let ended = async {
                let bound = ("x-max-length-bytes".into(), AMQPValue::LongLongInt(WAITING_MAX_BYTES));
                let arguments = FieldTable::from(std::collections::BTreeMap::from([bound]));
                let exchange = topology.near_copies();
                let (channel, batches) = listen(&connection, &exchange, arguments).await?;
                schedule.reset();
                tracing::debug!(exchange, "sharing near copies");
                exchanged(&channel, &exchange, batches, &mut outgoing, &heard).await
            }
            .await;
            close(&connection).await;
            ended
        };
        let ended: Result<(), Failure> = tokio::select! {
            () = end.cancelled() => return,
            ended = sharing => ended,
        };
        match ended {
            Err(failure) if failure.code == "amqp_403" && !std::mem::replace(&mut is_refused, true) => tracing::warn!(
                %failure,
                "this worker counts only the near copies that it sees itself; give its user the permissions that \
                 `sluice grants rabbitmq` prints"
            ),
            Err(failure) => tracing::debug!(%failure, "the connection for near copies ended"),
            Ok(()) => {}
        }
        tokio::select! {
            () = end.cancelled() => return,
            () = tokio::time::sleep(schedule.next_wait(fastrand::f64())) => {}
        }
    }
}

/// Until either side ends.
async fn exchanged(
    channel: &Channel,
    exchange: &str,
    mut batches: Consumer,
    outgoing: &mut mpsc::Receiver<Vec<u8>>,
    heard: impl Fn(&[u8]),
) -> Result<(), Failure> {
    loop {
        tokio::select! {
            batch = batches.next() => match batch {
                Some(batch) => heard(&batch.map_err(|error| classify(&error))?.data),
                None => return Ok(()),
            },
            Some(batch) = outgoing.recv() => {
                let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
                let publish = channel.basic_publish(exchange.into(), "".into(), options, &batch, properties);
                bounded("publishing near copies", TIMEOUT, publish).await?;
            }
        }
    }
}
