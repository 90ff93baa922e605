//! Where one measurement happens: queues of its own, and the table of posts, empty.

use anyhow::ensure;
use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Connection, ConnectionProperties};
use sluice_core::config::BrokerArgs;
use sluice_rabbit::broker::{Broker, close};
use sluice_rabbit::topology::Topology;
use std::time::{Duration, Instant};

use super::LOOK_AGAIN;
use super::rows::Rows;

/// How long nothing may happen before a measurement is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Queues of one measurement.
pub(super) struct Place {
    pub(super) prefix: String,
    pub(super) topology: Topology,
    broker: Broker,
    url: String,
}

impl Place {
    /// Declares its queues.
    pub(super) async fn make(url: &str, prefix: String) -> anyhow::Result<Self> {
        let args = BrokerArgs {
            amqp_url: url.into(),
            prefix: prefix.parse().map_err(|problem: String| anyhow::anyhow!(problem))?,
            max_length: None,
        };
        let (topology, broker) = (Topology::new(&args), Broker::new(&args, "sluice-lab bench")?);
        let connection = broker.connect().await?;
        let declared = topology.declare(&connection).await;
        close(&connection).await;
        declared?;
        Ok(Self { prefix, topology, broker, url: url.to_owned() })
    }

    /// Waits until all of so many posts are stored; how many in a second, from the first to the last.
    pub(super) async fn drained(&self, rows: &Rows, posts: usize) -> anyhow::Result<f64> {
        self.emptied(rows, posts).await?;
        rows.rate_limit().await
    }

    /// Waits until the queue is empty and all of so many posts are stored.
    pub(super) async fn emptied(&self, rows: &Rows, posts: usize) -> anyhow::Result<()> {
        let connection = self.broker.connect().await?;
        let (mut since, mut before) = (Instant::now(), u32::MAX);
        loop {
            let waiting = self.topology.queue_depth(&connection).await?.ready;
            if waiting == 0 {
                break;
            }
            if waiting < before {
                (since, before) = (Instant::now(), waiting);
            }
            ensure!(since.elapsed() < PATIENCE, "{waiting} posts are waiting, and none was consumed for {PATIENCE:?}");
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        close(&connection).await;
        rows.all_there(posts, PATIENCE).await
    }

    /// How many posts wait in the queue, without those that a consumer has in flight.
    pub(super) async fn waiting(&self) -> anyhow::Result<u32> {
        let connection = self.broker.connect().await?;
        let depth = self.topology.queue_depth(&connection).await;
        close(&connection).await;
        Ok(depth?.ready)
    }

    /// Removes the queues, with what is left in them. RabbitMQ 3.10 may answer with an internal error while it is still
    /// busy with what was in them. What cannot be removed is no reason to throw a measurement away, and is said.
    pub(super) async fn remove(self) {
        const TRIES: u32 = 5;
        for number in 1..=TRIES {
            match remove(&self.url, &self.topology).await {
                Ok(()) => return,
                Err(error) if number == TRIES => eprintln!("  the queues of {} are left behind: {error}", self.prefix),
                Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
            }
        }
    }
}

/// Removes the queues and exchanges of a topology.
async fn remove(url: &str, topology: &Topology) -> anyhow::Result<()> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    for queue in [topology.queue(), topology.dead_letter_queue()] {
        channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await?;
    }
    for exchange in [topology.exchange(), topology.dead_letter_exchange()] {
        channel.exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default()).await?;
    }
    let _ = tokio::time::timeout(Duration::from_secs(1), connection.close(200, "done".into())).await;
    Ok(())
}
