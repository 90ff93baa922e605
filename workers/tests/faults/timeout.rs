//! MySQL is down for longer than the broker lets a consumer hold a post.

use std::time::{Duration, Instant};

use sluice_lab::devstack::StackOptions;
use sluice_lab::testing::{Ground, in_time};

use crate::stage::{Stage, all_stored, flood, number, posts, queue};
use crate::support::start;

/// The broker's limit, and how often it looks: twice within it.
const LIMIT: Duration = Duration::from_secs(4);
/// How long MySQL is down, at least.
const AWAY: Duration = Duration::from_secs(12);
const POSTS: u32 = 20;

#[tokio::test]
async fn an_outage_longer_than_the_brokers_acknowledgement_timeout_loses_nothing_and_kills_nothing() {
    let Stage { ground: patient, stack } =
        Stage::new(StackOptions { consumer_timeout: Some(LIMIT), ..StackOptions::default() }).await;
    let hasty = Ground::on(&stack.amqp_url(), stack.database_url("").trim_end_matches('/')).await;
    // The one holds its posts for longer than the broker lets it, the other gives them back before.
    let patients = start(&patient.environment(), &["--hold", "60s"]);
    let hastys = start(&hasty.environment(), &["--hold", "1s"]);
    patients.says("consuming", 1).await;
    hastys.says("consuming", 1).await;

    stack.database().kill().await.expect("it is ours to kill");
    let begun = Instant::now();
    let load = [posts(&patient, POSTS as usize, "patient"), posts(&hasty, POSTS as usize, "hasty")];
    flood(&patient, &load[0]).await;
    flood(&hasty, &load[1]).await;
    queue(&hasty, POSTS, 0).await;
    patients.says("the session with RabbitMQ ended", 1).await;
    let noticed = begun.elapsed();
    println!("a limit of {LIMIT:?}: its consequence was noticed after {noticed:.2?}");
    assert!(noticed < LIMIT + LIMIT / 2 + Duration::from_secs(10), "{noticed:?}");
    queue(&patient, POSTS, 0).await;
    tokio::time::sleep(AWAY.saturating_sub(begun.elapsed())).await;
    assert_eq!(hastys.said().matches("the session with RabbitMQ ended").count(), 0, "{}", hastys.said());

    stack.database().start().await.expect("it comes back");
    for (ground, posts) in [(&patient, &load[0]), (&hasty, &load[1])] {
        let took = all_stored(ground, posts).await;
        println!("resumed after {took:.2?}");
        in_time("resumed", took, Duration::from_secs(5));
        queue(ground, 0, 8).await;
        assert_eq!(number(ground, "SELECT MAX(attempts) FROM posts").await, 1);
        assert_eq!(ground.dead().await.ready, 0);
    }
}
