//! A review or an insert that panics fails the one post it panicked on.

use mysql_async::prelude::Queryable as _;
use sluice_core::disposition::Class;
use sluice_core::post::Post;
use sluice_lab::testing::{Ground, Program};

use crate::stage::{all_stored, flood, posts};
use crate::support::{dead, start, stored, waiting};

/// A worker with points at which it panics.
async fn upset(ground: &Ground, points: &str) -> Program {
    let mut environment = ground.environment();
    environment.push(("FAILPOINTS", points.to_owned()));
    let worker = start(&environment, &["--concurrency", "16"]);
    worker.says("consuming", 1).await;
    worker
}

/// The one dead letter that there is, as class, code and attempts, and whose it is.
async fn the_dead_letter(ground: &Ground) -> (String, Class, String, u32) {
    dead(ground, 1).await;
    let dead_letter = ground.dead_letters().await.remove(0);
    assert!(dead_letter.message.contains("panicked"), "{dead_letter:?}");
    (dead_letter.id, dead_letter.class, dead_letter.code, dead_letter.attempts)
}

/// The process goes on, with the same session and the same recorder.
async fn goes_on(ground: &Ground, mut worker: Program) {
    let after = posts(ground, 40, "after");
    flood(ground, &after).await;
    all_stored(ground, &after).await;
    assert!(worker.stop().await.success());
    assert_eq!(worker.said().matches("consuming").count(), 1, "{}", worker.said());
    assert_eq!((ground.depth().await.ready, ground.dead().await.ready), (0, 1));
}

fn dead_letter_of(post: &Post, code: &str) -> (String, Class, String, u32) {
    (post.id.to_string(), Class::Permanent, code.to_owned(), 1)
}

#[tokio::test]
async fn a_review_that_panics_fails_that_post_and_not_the_process() {
    let ground = Ground::new().await;
    let worker = upset(&ground, "review.poison=panic(out of ink)").await;
    let (poison, neighbours) = (ground.post("poison"), posts(&ground, 30, "neighbour"));
    flood(&ground, &[&neighbours[..15], std::slice::from_ref(&poison), &neighbours[15..]].concat()).await;
    all_stored(&ground, &neighbours).await;
    assert_eq!(the_dead_letter(&ground).await, dead_letter_of(&poison, "review_panicked"));
    goes_on(&ground, worker).await;
}

#[tokio::test]
async fn an_insert_that_panics_on_a_lone_post_fails_it_and_not_the_recorder() {
    let ground = Ground::new().await;
    let worker = upset(&ground, "store=1*panic(out of ink)").await;
    let alone = ground.post("alone");
    flood(&ground, std::slice::from_ref(&alone)).await;
    assert_eq!(the_dead_letter(&ground).await, dead_letter_of(&alone, "store_panicked"));
    goes_on(&ground, worker).await;
}

#[tokio::test]
async fn an_insert_that_panics_on_one_post_of_a_group_stores_the_others() {
    let ground = Ground::new().await;
    let worker = upset(&ground, "store.poison=panic(out of ink)").await;
    // While the first insert waits for the table, the others gather behind it.
    let mut locked = ground.session().await;
    locked.query_drop("LOCK TABLES posts WRITE").await.expect("a lock");
    let (poison, neighbours) = (ground.post("poison"), posts(&ground, 15, "neighbour"));
    flood(&ground, &neighbours[..1]).await;
    waiting(&ground, 0).await;
    flood(&ground, &[&neighbours[1..8], std::slice::from_ref(&poison), &neighbours[8..]].concat()).await;
    waiting(&ground, 0).await;
    locked.query_drop("UNLOCK TABLES").await.expect("no lock");
    all_stored(&ground, &neighbours).await;
    assert_eq!(the_dead_letter(&ground).await, dead_letter_of(&poison, "store_panicked"));
    for neighbour in &neighbours {
        assert_eq!(stored(&ground, neighbour.id).await.attempts, 1, "a neighbour's panic spends no attempt");
    }
    goes_on(&ground, worker).await;
}
