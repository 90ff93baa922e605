//! Several processes at one queue share the posts, however few there are.

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use sluice_lab::testing::{Ground, eventually};
use sluice_rabbit::publisher::{Envelope, Publisher};
use support::{quick_start, start};

const PROCESSES: usize = 4;
/// Twenty posts a second: one is stored long before the next one comes.
const APART: Duration = Duration::from_millis(50);
const POSTS: usize = 100;

/// Starts processes with so many consumers each, waits until they are idle, and gives them one post after the other.
/// Returns the processes' names in the order of the posts.
async fn takers(concurrency: usize) -> Vec<String> {
    let ground = Ground::new().await;
    let (environment, _rules) = quick_start(&ground);
    let (processes, consumers) = (PROCESSES.to_string(), concurrency.to_string());
    let mut workers = start(&environment, &["--processes", &processes, "--concurrency", &consumers, "--name", "w"]);
    workers.says("consuming", PROCESSES).await;
    eventually("all consumers to be there", async || {
        let depth = ground.depth().await;
        if depth.consumers as usize == PROCESSES * concurrency { Ok(()) } else { Err(depth) }
    })
    .await;
    let publisher = Publisher::new(&ground.broker(), &ground.topology(), Duration::from_secs(20)).expect("a pool");
    let (topology, mut turn) = (ground.topology(), tokio::time::interval(APART));
    for number in 0..POSTS {
        turn.tick().await;
        let post = ground.post(&format!("post {number}"));
        publisher.publish(Envelope::post(&topology, &post)).await.expect("the broker takes the post");
    }
    let takers = eventually("all posts to be stored", async || {
        let query = "SELECT worker FROM posts ORDER BY reviewed_at";
        let takers: Vec<String> = ground.session().await.query(query).await.expect("the query is valid");
        if takers.len() == POSTS { Ok(takers) } else { Err(takers.len()) }
    })
    .await;
    assert!(workers.stop().await.success(), "{}", workers.said());
    takers
}

/// Of the first posts, as of all, no process has more than twice its share.
fn shared(takers: &[String]) {
    let order: String = takers.iter().filter_map(|name| name.chars().last()).collect();
    println!("{order}");
    for first in [2 * PROCESSES, 6 * PROCESSES, POSTS] {
        let mut shares = BTreeMap::new();
        for taker in &takers[..first] {
            *shares.entry(taker).or_insert(0) += 1;
        }
        let most = shares.values().max().copied().unwrap_or(0);
        assert!(most <= 2 * first / PROCESSES, "of the first {first} posts: {shares:?} ({order})");
    }
}

#[tokio::test]
async fn idle_processes_share_the_first_posts_of_light_traffic() {
    shared(&takers(8).await);
}

#[tokio::test]
async fn idle_processes_with_many_consumers_share_the_first_posts_too() {
    shared(&takers(64).await);
}
