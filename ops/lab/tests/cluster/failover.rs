//! Sluice goes on whichever node of either cluster is killed.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use sluice_lab::devstack::cluster::{ClusterOptions, PartitionHandling};
use sluice_lab::testing::{eventually, in_time};
use tokio_util::sync::CancellationToken;

use crate::stage::Stage;

/// How long each node is gone, with posts coming.
const GONE: Duration = Duration::from_secs(8);
/// Without an accepted post: an election, and a publish that is not confirmed.
const ACCEPTS: Duration = Duration::from_secs(5);
/// From an election on, no post is refused any more after this.
const ELECTED: Duration = Duration::from_secs(5);
/// Without a stored row: a statement that is given up, and Galera's own time to notice that a node is gone (5 s).
const STORES: Duration = Duration::from_secs(15);

/// The longest time without a row, in the database's own words.
async fn longest_without_a_row(stage: &Stage) -> Duration {
    let rows = "SELECT recorded_at AS at, LAG(recorded_at) OVER (ORDER BY recorded_at) AS earlier FROM posts";
    let query = format!("SELECT MAX(TIMESTAMPDIFF(MICROSECOND, earlier, at)) FROM ({rows}) AS gaps");
    let longest: Option<Option<u64>> = stage.ground.session().await.query_first(query).await.expect("a number");
    Duration::from_micros(longest.flatten().unwrap_or(0))
}

#[tokio::test]
async fn whichever_broker_is_killed_posts_are_accepted_and_stored_within_seconds_and_none_is_lost() {
    let stage = Stage::new(ClusterOptions { databases: 1, ..ClusterOptions::default() }, 2).await;
    let enough = CancellationToken::new();
    let mut killed = Vec::new();
    let kills = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        for i in 0..3 {
            killed.push(Instant::now());
            stage.cluster.broker(i).kill().await.expect("it is ours to kill");
            tokio::time::sleep(GONE).await;
            stage.cluster.broker(i).start().await.expect("it comes back");
            members(&stage).await;
        }
        enough.cancel();
    };
    let (sent, ()) = tokio::join!(stage.send(&enough), kills);
    stage.accounted(&sent).await;
    for (i, at) in killed.iter().enumerate() {
        let (gap, late) = (sent.gap(*at, GONE), sent.refused(*at + ELECTED, *at + GONE));
        println!("broker {i} killed: {gap:.2?} without a 202, {} refusals", sent.refused(*at, *at + GONE).len());
        in_time(format!("broker {i} killed: accepted"), gap, ACCEPTS);
        assert!(late.is_empty(), "broker {i}: {late:?}\n{}", stage.producer.said());
    }
    println!("{} accepted; {:.2?} at most without a row", sent.accepted.len(), longest_without_a_row(&stage).await);
    stage.cluster.stop().await.expect("all of it ends");
}

/// Waits until the queue has its three members again, so that it survives the next kill.
async fn members(stage: &Stage) {
    let queue = stage.ground.topology().queue();
    eventually("three members that run", async || {
        let said = stage.cluster.rabbitmqctl(0, &["list_queues", "name", "online"]).await.map_err(|e| e.to_string())?;
        let line = said.lines().find(|line| line.starts_with(&queue)).unwrap_or_default().to_owned();
        if line.matches('@').count() == 3 { Ok(()) } else { Err(line) }
    })
    .await;
}

#[tokio::test]
async fn whichever_database_is_killed_posts_are_accepted_all_the_time_and_stored_within_seconds() {
    let stage = Stage::new(ClusterOptions { brokers: 1, ..ClusterOptions::default() }, 2).await;
    let enough = CancellationToken::new();
    let mut killed = Vec::new();
    let kills = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        for i in 0..3 {
            killed.push(Instant::now());
            stage.cluster.database(i).kill().await.expect("it is ours to kill");
            tokio::time::sleep(2 * GONE).await;
            stage.cluster.database(i).start().await.expect("it comes back");
            stage.cluster.until_synced(i).await.expect("it has what it missed");
        }
        enough.cancel();
    };
    let (sent, ()) = tokio::join!(stage.send(&enough), kills);
    stage.accounted(&sent).await;
    for (i, at) in killed.iter().enumerate() {
        println!("database {i} killed: {:.2?} without a 202", sent.gap(*at, GONE));
    }
    assert!(sent.refused.is_empty(), "{:?}", sent.refused);
    let longest = longest_without_a_row(&stage).await;
    println!("{} accepted; {longest:.2?} at most without a row", sent.accepted.len());
    in_time("stored", longest, STORES);
    stage.cluster.stop().await.expect("all of it ends");
}

#[tokio::test]
async fn without_a_majority_posts_are_refused_and_whoever_starts_waits_until_there_is_one() {
    let options = ClusterOptions {
        databases: 1,
        partition_handling: PartitionHandling::PauseMinority,
        ..ClusterOptions::default()
    };
    let stage = Stage::new(options, 1).await;
    for i in [1, 2] {
        stage.cluster.broker(i).kill().await.expect("it is ours to kill");
    }
    let enough = CancellationToken::new();
    let minority = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let mut late = stage.worker();
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert!(late.has_ended().is_none(), "{}", late.said());
        stage.cluster.start_brokers().await.expect("they come back");
        late.says("consuming", 1).await;
        // A post that is accepted from now on.
        tokio::time::sleep(Duration::from_secs(10)).await;
        enough.cancel();
        late
    };
    let (sent, mut late) = tokio::join!(stage.send(&enough), minority);
    assert!(sent.refused.iter().any(|(_, why)| why.contains("503")), "{:?}", sent.refused);
    assert!(!sent.accepted.is_empty(), "{}", stage.producer.said());
    stage.accounted(&sent).await;
    assert!(late.stop().await.success());
    stage.cluster.stop().await.expect("all of it ends");
}
