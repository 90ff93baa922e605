//! Taking a ground away.

use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Connection, ConnectionProperties};
use mysql_async::prelude::Queryable;
use sluice_rabbit::topology::Topology;

use super::{Ground, PATIENCE};

/// Nothing stays behind, not even of a test that failed.
impl Drop for Ground {
    fn drop(&mut self) {
        let (amqp_url, database_url, topology) =
            (self.amqp_url.clone(), self.database_url.clone(), self.topology.clone());
        let swept = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async { tokio::time::timeout(PATIENCE, sweep(&amqp_url, &database_url, &topology)).await })
        });
        let _ = swept.join();
    }
}

async fn sweep(amqp_url: &str, database_url: &str, topology: &Topology) {
    if let Ok(connection) = Connection::connect(amqp_url, ConnectionProperties::default()).await {
        for queue in [topology.queue(), topology.dead_letter_queue()] {
            if let Ok(channel) = connection.create_channel().await {
                let _ = channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await;
            }
        }
        for exchange in [topology.exchange(), topology.dead_letter_exchange(), topology.decisions()] {
            if let Ok(channel) = connection.create_channel().await {
                let options = ExchangeDeleteOptions::default();
                let _ = channel.exchange_delete(exchange.into(), options).await;
            }
        }
        let _ = connection.close(200, "done".into()).await;
    }
    if let Some((base, name)) = database_url.rsplit_once('/')
        && let Ok(mut connection) = mysql_async::Conn::from_url(format!("{base}/")).await
    {
        let _ = connection.query_drop(format!("DROP DATABASE IF EXISTS {name}")).await;
        let _ = connection.disconnect().await;
    }
}
