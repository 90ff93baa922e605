//! A cluster to look at: starts one, says where its nodes are, and ends it when Enter is pressed.
//!
//! ```text
//! cargo run -p sluice-lab --example cluster -- 3 0     # brokers, databases
//! ```

use std::time::Instant;

use sluice_lab::devstack::cluster::{Cluster, ClusterOptions};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut counts = std::env::args().skip(1).map(|count| count.parse::<usize>());
    let (brokers, databases) = (counts.next().unwrap_or(Ok(3))?, counts.next().unwrap_or(Ok(3))?);
    let begun = Instant::now();
    let cluster = Cluster::start(ClusterOptions { brokers, databases, ..ClusterOptions::default() }).await?;
    println!("up after {:.1?} in {}", begun.elapsed(), cluster.dir().display());
    if brokers > 0 {
        println!("AMQP_URL={}", cluster.amqp_url(&(0..brokers).collect::<Vec<_>>()));
        println!("management: {}", cluster.management_url(0));
        println!("{}", cluster.rabbitmqctl(0, &["cluster_status"]).await?);
    }
    if databases > 0 {
        println!("DATABASE_URL={}", cluster.database_url("sluice", &(0..databases).collect::<Vec<_>>()));
    }
    println!("press Enter to end it");
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await??;
    Ok(cluster.stop().await?)
}
