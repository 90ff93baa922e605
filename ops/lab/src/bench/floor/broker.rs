//! RabbitMQ alone: confirmed publishing, and consumers that only acknowledge.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use futures_util::StreamExt as _;
use futures_util::future::try_join_all;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Confirmation, Connection, ConnectionProperties, Consumer};
use sluice_core::post::Post;
use sluice_rabbit::topology::{MESSAGE_TYPE, ROUTING_KEY, Topology};
use tokio::sync::Notify;

use super::super::place::Place;

/// Confirms that are waited for at the same time.
const WINDOW: usize = 1000;
/// Messages that are handed to the library at once: one by one, each would wait until the one before was written.
const AT_ONCE: usize = 100;
/// How long consumers may take with what is there.
const PATIENCE: Duration = Duration::from_secs(120);

async fn connect(url: &str) -> anyhow::Result<Connection> {
    Ok(Connection::connect(url, ConnectionProperties::default()).await?)
}

async fn leave(connection: &Connection) {
    let _ = tokio::time::timeout(Duration::from_secs(1), connection.close(200, "done".into())).await;
}

/// Publishes posts as the HTTP API would, persistent, mandatory and confirmed, on one channel; how many in a second.
pub(in super::super) async fn publish(url: &str, topology: &Topology, posts: &[Post]) -> anyhow::Result<f64> {
    let messages: Vec<_> = posts.iter().map(|post| (properties(post), post.to_body())).collect();
    let connection = connect(url).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let (exchange, begun) = (topology.exchange(), Instant::now());
    let mut under_way = VecDeque::with_capacity(WINDOW);
    for some in messages.chunks(AT_ONCE) {
        while under_way.len() + some.len() > WINDOW {
            confirmed(under_way.pop_front()).await?;
        }
        let publish = some.iter().map(|(properties, body)| {
            let (exchange, key) = (exchange.as_str().into(), ROUTING_KEY.into());
            channel.basic_publish(exchange, key, options, body, properties.clone())
        });
        under_way.extend(try_join_all(publish).await?);
    }
    while !under_way.is_empty() {
        confirmed(under_way.pop_front()).await?;
    }
    let took = begun.elapsed();
    leave(&connection).await;
    Ok(posts.len() as f64 / took.as_secs_f64())
}

async fn confirmed(confirm: Option<impl Future<Output = lapin::Result<Confirmation>>>) -> anyhow::Result<()> {
    match confirm.context("no publish is under way")?.await? {
        Confirmation::Ack(None) => Ok(()),
        other => bail!("RabbitMQ did not take a message: {other:?}"),
    }
}

fn properties(post: &Post) -> BasicProperties {
    let timestamp = u64::try_from(post.submitted_at.unix_timestamp()).unwrap_or_default();
    BasicProperties::default()
        .with_message_id(post.id.to_string().into())
        .with_content_type("application/json".into())
        .with_type(MESSAGE_TYPE.into())
        .with_timestamp(timestamp)
        .with_delivery_mode(2)
}

/// So many consumers on one channel take all of so many messages and acknowledge each; how many in a second, from the
/// first to the last.
pub(in super::super) async fn acknowledge(
    url: &str,
    place: &Place,
    consumers: u16,
    prefetch: u16,
    messages: usize,
) -> anyhow::Result<f64> {
    let connection = connect(url).await?;
    let channel = connection.create_channel().await?;
    channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
    let taken = Arc::new(Taken { count: AtomicUsize::new(0), wanted: messages, all: Notify::new() });
    let mut first = None;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..consumers {
        let tag = format!("floor-{number}");
        let (queue, options) = (place.topology.queue(), BasicConsumeOptions::default());
        let consumer =
            channel.basic_consume(queue.as_str().into(), tag.as_str().into(), options, FieldTable::default()).await?;
        first.get_or_insert_with(Instant::now);
        tasks.spawn(take(consumer, Arc::clone(&taken)));
    }
    let waited = tokio::time::timeout(PATIENCE, taken.all.notified()).await;
    let took = first.unwrap_or_else(Instant::now).elapsed();
    tasks.shutdown().await;
    leave(&connection).await;
    waited.with_context(|| format!("consumers that only acknowledge were not done within {PATIENCE:?}"))?;
    Ok(messages as f64 / took.as_secs_f64())
}

struct Taken {
    count: AtomicUsize,
    wanted: usize,
    all: Notify,
}

async fn take(mut consumer: Consumer, taken: Arc<Taken>) {
    while let Some(Ok(delivery)) = consumer.next().await {
        if !matches!(delivery.ack(BasicAckOptions::default()).await, Ok(true)) {
            return;
        }
        if taken.count.fetch_add(1, Ordering::Relaxed) + 1 == taken.wanted {
            taken.all.notify_one();
        }
    }
}
