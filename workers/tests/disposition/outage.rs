//! A failure of the database is nobody's: posts are held, released and delivered again, and spend no attempt.

use sluice_lab::testing::{Ground, eventually};

use super::support::{stored, waiting, with_mysql_behind_a_proxy, worker};

#[tokio::test]
async fn while_mysql_is_down_nothing_is_spent_and_nothing_dies() {
    let ground = Ground::new().await;
    let (worker, proxy) = with_mysql_behind_a_proxy(&ground, &[]).await;
    proxy.cut();
    let posts: Vec<_> = (0..30).map(|number| ground.post(&format!("outage {number}"))).collect();
    ground.publish(&posts).await;
    worker.says("paused: mysql", 1).await;
    // Eight consumers hold one post each; the others wait in the queue.
    waiting(&ground, 22).await;
    proxy.heal();
    for post in &posts {
        assert_eq!(stored(&ground, post.id).await.attempts, 1, "an outage spends no attempt");
    }
    worker.says("resumed", 1).await;
    assert_eq!(ground.dead().await.ready, 0);
}

#[tokio::test]
async fn a_database_that_hangs_is_noticed_and_what_is_held_too_long_goes_back() {
    let ground = Ground::new().await;
    let (worker, proxy) = with_mysql_behind_a_proxy(&ground, &["--hold", "1s"]).await;
    let before = ground.post("before");
    ground.publish(std::slice::from_ref(&before)).await;
    stored(&ground, before.id).await;
    proxy.freeze();
    let posts: Vec<_> = (0..12).map(|number| ground.post(&format!("hang {number}"))).collect();
    ground.publish(&posts).await;
    worker.says("paused: mysql", 1).await;
    eventually("all posts back in the queue and nobody consuming", async || {
        let depth = ground.depth().await;
        // Where the hang came before its insert was answered, the one before is in flight as well.
        if matches!((depth.ready, depth.consumers), (12 | 13, 0)) { Ok(()) } else { Err(depth) }
    })
    .await;
    proxy.heal();
    for post in &posts {
        assert_eq!(stored(&ground, post.id).await.attempts, 1);
    }
    assert_eq!(ground.dead().await.ready, 0);
}

#[tokio::test]
async fn an_outage_that_outlasts_the_hold_of_every_worker_makes_no_crash_loop() {
    let ground = Ground::new().await;
    let args = ["--hold", "300ms", "--max-deliveries", "2"];
    let mut workers = Vec::new();
    for _ in 0..3 {
        workers.push(worker(&ground, &args).await);
    }
    ground.sql("RENAME TABLE posts TO posts_away").await;
    let post = ground.post("delivered twice");
    ground.publish(std::slice::from_ref(&post)).await;
    // Each worker has it once: it holds it, gives it back and consumes no more.
    for worker in &workers {
        worker.says("paused: mysql", 1).await;
    }
    waiting(&ground, 1).await;
    ground.sql("RENAME TABLE posts_away TO posts").await;
    assert_eq!(stored(&ground, post.id).await.attempts, 1);
    assert_eq!(ground.dead().await.ready, 0);
}

#[tokio::test]
async fn an_operators_mistake_pauses_the_work_and_costs_no_post() {
    let ground = Ground::new().await;
    let worker = worker(&ground, &[]).await;
    ground.sql("RENAME TABLE posts TO posts_away").await;
    let post = ground.post("where is the table");
    ground.publish(std::slice::from_ref(&post)).await;
    worker.says("mysql_1146", 1).await;
    assert_eq!(ground.dead().await.ready, 0);
    ground.sql("RENAME TABLE posts_away TO posts").await;
    assert_eq!(stored(&ground, post.id).await.attempts, 1);
}
