//! A worker is restarted again and again under load: no post is lost, tried twice or brought nearer to its limit.

use std::time::{Duration, Instant};

use sluice_lab::devstack::StackOptions;
use sluice_lab::testing::{Ground, eventually, in_time};

use crate::stage::{Stage, accounted, delivery_counts, flood, number, posts, quick_start};
use crate::support::{start, worker};

/// Restarts under load, of each size.
const RESTARTS: usize = 10;

/// What restarts have left.
struct LeftOver {
    /// Posts that were tried twice.
    twice: u64,
    /// RabbitMQ's count of deliveries of each post that still waited.
    counts: Vec<i64>,
    /// What the workers said.
    said: String,
}

/// Restarts a worker again and again under load.
async fn restarted(ground: &Ground, concurrency: &str, load: usize) -> LeftOver {
    ground.declare().await;
    ground.store().migrate().await.expect("the schema can be brought up");
    ground.sql("CREATE TABLE tries (id CHAR(36))").await;
    ground.sql("CREATE TRIGGER tried BEFORE INSERT ON posts FOR EACH ROW INSERT INTO tries VALUES (NEW.id)").await;
    let posts = posts(ground, load, "restart");
    flood(ground, &posts).await;
    let (environment, _rules) = quick_start(ground);
    let (mut said, mut slowest) = (String::new(), Duration::ZERO);
    for restart in 0..RESTARTS {
        let mut worker = start(&environment, &["--concurrency", concurrency]);
        worker.says("consuming", 1).await;
        // Somewhere in the midst of it.
        tokio::time::sleep(Duration::from_millis(10 * restart as u64)).await;
        let begun = Instant::now();
        assert_eq!(worker.stop().await.code(), Some(0), "{}", worker.said());
        slowest = slowest.max(begun.elapsed());
        in_time("a stop", begun.elapsed(), Duration::from_secs(10));
        said.push_str(&worker.said());
    }
    println!("{RESTARTS} restarts with {concurrency} in flight: the slowest stop took {slowest:.2?}");
    let twice = number(ground, "SELECT COUNT(*) - COUNT(DISTINCT id) FROM tries").await;
    let stored = number(ground, "SELECT COUNT(*) FROM posts").await;
    // RabbitMQ 3.10 may have sent the last worker one more post than it took: that one is back when the broker has seen
    // the end of the connection.
    eventually("stored, or waiting again", async || {
        let waiting = ground.depth().await;
        if stored + u64::from(waiting.ready) == load as u64 { Ok(()) } else { Err((stored, waiting)) }
    })
    .await;
    let counts = delivery_counts(ground).await;
    assert_eq!(stored + counts.len() as u64, load as u64, "stored, or still waiting");
    let last = worker(ground, &["--concurrency", "64"]).await;
    eventually("what is left over to be stored", async || {
        let stored = number(ground, "SELECT COUNT(*) FROM posts").await;
        let (waiting, dead) = (ground.depth().await, ground.dead().await);
        let seen = || format!("{stored} of {load}, {waiting:?}, dead {dead:?}, before: {said} last: {}", last.said());
        if stored == load as u64 { Ok(()) } else { Err(seen()) }
    })
    .await;
    assert_eq!(accounted(ground, &posts).await, [] as [String; 0]);
    LeftOver { twice, counts, said }
}

#[tokio::test]
async fn restarts_under_load_bring_no_post_nearer_to_its_limit() {
    for (concurrency, load) in [("8", 2500), ("64", 6000)] {
        let LeftOver { twice, counts, said } = restarted(&Ground::new().await, concurrency, load).await;
        let counted = counts.iter().filter(|count| **count > 0).count();
        println!(
            "{RESTARTS} restarts with {concurrency} in flight: {twice} tried twice, {counted} of {} left over counted",
            counts.len()
        );
        // Where a busy MySQL let a statement run out of time, its rows are rightly tried again.
        let late = said.contains("mysql_timeout");
        assert!(twice == 0 || late, "with {concurrency} in flight: {twice} acknowledgements were lost\n{said}");
        // RabbitMQ 3.10 confirms that a consumer is cancelled before the last post is on its way to it: that one is
        // nobody's until the connection ends.
        let most = counts.iter().max().copied().unwrap_or_default();
        assert!(most <= 2 && counted <= RESTARTS, "with {concurrency} in flight: {counted} counted, up to {most}");
    }
}

/// Beyond `quorum_commands_soft_limit` commands that the queue has not carried out, RabbitMQ's channel keeps further
/// acknowledgements to itself, and drops them when it is closed.
#[tokio::test]
async fn a_stop_loses_no_acknowledgement_that_the_broker_has_put_aside() {
    let stage = Stage::new(StackOptions::default()).await;
    let lower = ["eval", "application:set_env(rabbit, quorum_commands_soft_limit, 4)."];
    stage.stack.rabbitmqctl(&lower).await.expect("the broker obeys");
    let LeftOver { twice, said, .. } = restarted(&stage.ground, "64", 1200).await;
    assert!(twice == 0 || said.contains("mysql_timeout"), "{twice} acknowledgements were lost\n{said}");
}
