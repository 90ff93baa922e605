//! Where a bad day is played: servers of a test's own, and the load.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use lapin::options::BasicGetOptions;
use lapin::types::AMQPValue;
use mysql_async::prelude::Queryable as _;
use sluice_core::post::{Post, PostId};
use sluice_lab::devstack::{Stack, StackOptions};
use sluice_lab::testing::{Ground, eventually};
use sluice_rabbit::broker::close;
use sluice_rabbit::publisher::{Envelope, Publisher};

pub(crate) use crate::support::quick_start;

/// Servers that nobody else uses, so that they can be broken.
pub(crate) struct Stage {
    /// Dropped before the servers it cleans.
    pub(crate) ground: Ground,
    pub(crate) stack: Stack,
}

impl Stage {
    pub(crate) async fn new(options: StackOptions) -> Self {
        let stack = Stack::start(options).await.expect("private servers");
        let server = stack.database_url("");
        let ground = Ground::on(&stack.amqp_url(), server.trim_end_matches('/')).await;
        Self { ground, stack }
    }
}

/// So many posts that nobody else has.
pub(crate) fn posts(ground: &Ground, number: usize, title: &str) -> Vec<Post> {
    (0..number).map(|_| ground.post(title)).collect()
}

/// Publishes posts as the producer does, many at once.
pub(crate) async fn flood(ground: &Ground, posts: &[Post]) {
    let publisher = Publisher::new(&ground.broker(), &ground.topology(), Duration::from_secs(20)).expect("a pool");
    let topology = ground.topology();
    // RabbitMQ 4.3 may not route to a queue yet that it has just declared. One post finds out when it does: of a batch a
    // part could be routed, and be there twice afterwards.
    let (first, rest) = posts.split_first().expect("a post");
    let first = [Envelope::post(&topology, first)];
    eventually("the broker to take a post", async || {
        publisher.publish_batch(&first).await.into_iter().collect::<Result<Vec<()>, _>>()
    })
    .await;
    for posts in rest.chunks(500) {
        let batch: Vec<_> = posts.iter().map(|post| Envelope::post(&topology, post)).collect();
        let published: Result<Vec<()>, _> = publisher.publish_batch(&batch).await.into_iter().collect();
        published.expect("the broker takes the posts");
    }
}

/// Waits until all these posts are stored; how long that took.
pub(crate) async fn all_stored(ground: &Ground, posts: &[Post]) -> Duration {
    let begun = Instant::now();
    let ids: Vec<PostId> = posts.iter().map(|post| post.id).collect();
    let store = ground.store();
    eventually("all posts to be stored", async || {
        let found = store.recorded(&ids).await.map_err(|failure| failure.to_string())?;
        if found.len() == ids.len() { Ok(()) } else { Err(format!("{} of {}", found.len(), ids.len())) }
    })
    .await;
    begun.elapsed()
}

/// Waits until the queue holds so many posts and has so many consumers.
pub(crate) async fn queue(ground: &Ground, ready: u32, consumers: u32) {
    eventually("the queue to be as expected", async || {
        let depth = ground.depth().await;
        if (depth.ready, depth.consumers) == (ready, consumers) { Ok(()) } else { Err(depth) }
    })
    .await;
}

/// A number that the database knows.
pub(crate) async fn number(ground: &Ground, query: &str) -> u64 {
    ground.session().await.query_first(query).await.expect("the query is valid").unwrap_or_default()
}

/// Every one of these posts is a row or a dead letter, and no post is two rows. Gives the ids of the dead letters, one
/// for each dead letter.
pub(crate) async fn accounted(ground: &Ground, posts: &[Post]) -> Vec<String> {
    let ids: Vec<PostId> = posts.iter().map(|post| post.id).collect();
    let stored = ground.store().recorded(&ids).await.expect("the database answers");
    let dead_letters: Vec<String> = ground.dead_letters().await.into_iter().map(|dead_letter| dead_letter.id).collect();
    let dead: HashSet<&String> = dead_letters.iter().collect();
    let lost: Vec<_> = ids.iter().filter(|id| !stored.contains(id) && !dead.contains(&id.to_string())).collect();
    assert_eq!(lost, [] as [&PostId; 0], "lost");
    let rows = number(ground, "SELECT COUNT(*) FROM posts").await;
    assert_eq!(rows, stored.len() as u64, "rows that are nobody's, or doubled");
    dead_letters
}

/// The counts of deliveries of all that waits in the queue. Whoever looks raises them, so it is done once.
pub(crate) async fn delivery_counts(ground: &Ground) -> Vec<i64> {
    let connection = ground.connect().await;
    let channel = connection.create_channel().await.expect("a channel");
    let mut counts = Vec::new();
    let queue = ground.topology().queue();
    while let Some(got) =
        channel.basic_get(queue.as_str().into(), BasicGetOptions::default()).await.expect("the queue is there")
    {
        let headers = got.delivery.properties.headers().clone().unwrap_or_default();
        counts.push(match headers.inner().get("x-delivery-count") {
            Some(AMQPValue::LongLongInt(count)) => *count,
            Some(other) => panic!("{other:?}"),
            None => 0,
        });
    }
    // All of them go back now, and not when the broker has seen that nobody is there any more.
    close(&connection).await;
    counts
}
