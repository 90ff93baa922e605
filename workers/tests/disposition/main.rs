//! Each row of the disposition table, with real servers and real worker processes.

mod outage;
#[path = "../support/mod.rs"]
mod support;

use mysql_async::prelude::Queryable;
use sluice_core::disposition::Class;
use sluice_core::post::PostId;
use sluice_lab::testing::{Ground, eventually};
use support::{dead, is_stored, start, stored, waiting, with_mysql_behind_a_proxy, worker};

#[tokio::test]
async fn a_recorded_post_is_acknowledged_whether_it_is_new_or_was_there() {
    let ground = Ground::new().await;
    let worker = worker(&ground, &[]).await;
    let post = ground.post("once");
    ground.publish(&[post.clone(), post.clone()]).await;
    let row = stored(&ground, post.id).await;
    assert_eq!((row.title.as_str(), row.verdict.as_str(), row.attempts), ("once", "approved", 1));
    assert_eq!(row.submitted_at.microsecond(), post.submitted_at.microsecond());
    let mut worker = worker;
    // A worker that stops finishes what was delivered, and leaves the rest in the queue.
    eventually("both copies to be delivered", async || match ground.depth().await.ready {
        0 => Ok(()),
        ready => Err(ready),
    })
    .await;
    assert!(worker.stop().await.success());
    assert_eq!((ground.depth().await.ready, ground.dead().await.ready), (0, 0));
    let rows: Option<u64> = ground.session().await.query_first("SELECT COUNT(*) FROM posts").await.expect("a count");
    assert_eq!(rows, Some(1));
}

#[tokio::test]
async fn a_post_that_fails_by_its_own_fault_is_dead_lettered_at_once_and_its_neighbours_are_stored() {
    let ground = Ground::new().await;
    let _worker = worker(&ground, &["--concurrency", "16"]).await;
    ground.sql("ALTER TABLE posts ADD CONSTRAINT no_cats CHECK (title NOT LIKE '%cat%')").await;
    let too_long = ground.post(&"x".repeat(256));
    let refused = ground.post("my cat");
    let neighbours: Vec<_> = (0..40).map(|number| ground.post(&format!("neighbour {number}"))).collect();
    let nameless = br#"{"title":"t","content":"c"}"#.to_vec();
    ground.publish(&neighbours[..20]).await;
    ground.publish(&[too_long.clone(), refused.clone()]).await;
    ground.publish_raw(&[(Some("7".to_owned()), b"not json".to_vec()), (None, nameless)]).await;
    ground.publish(&neighbours[20..]).await;
    for neighbour in &neighbours {
        stored(&ground, neighbour.id).await;
    }
    dead(&ground, 4).await;
    let mut dead_letters = ground.dead_letters().await;
    dead_letters.sort_by(|a, b| (&a.code, &a.message).cmp(&(&b.code, &b.message)));
    let codes: Vec<_> = dead_letters.iter().map(|dead_letter| dead_letter.code.as_str()).collect();
    // A CHECK that refused: in MySQL's words, or in MariaDB's.
    assert!(["mysql_3819", "mysql_4025"].contains(&codes[3]), "{codes:?}");
    assert_eq!(codes[..3], ["malformed", "malformed", "mysql_1406"]);
    assert!(
        dead_letters.iter().all(|dead_letter| dead_letter.class == Class::Permanent && dead_letter.attempts == 1),
        "{dead_letters:?}"
    );
    assert_eq!(dead_letters[2].id, too_long.id.to_string());
    assert_eq!(dead_letters[3].title.as_deref(), Some("my cat"));
    assert!(!is_stored(&ground, too_long.id).await && !is_stored(&ground, refused.id).await);
}

#[tokio::test]
async fn a_message_that_is_no_post_says_why_and_nothing_of_its_text_is_told() {
    const SECRET: &str = "a private message";
    let ground = Ground::new().await;
    let worker = worker(&ground, &[]).await;
    let bodies = [
        serde_json::json!(SECRET),
        serde_json::json!({"title": [SECRET], "content": "c"}),
        serde_json::json!({"title": "t", "content": "c", "submitted_at": SECRET}),
        serde_json::json!({"title": "t", "content": "c", "id": SECRET}),
        serde_json::json!({"title": "t", "content": "\u{200b}\u{3164}", "author": SECRET}),
        serde_json::json!({"title": SECRET, "content": "c", "id": "00000000-0000-0000-0000-000000000000"}),
    ];
    let messages: Vec<_> =
        bodies.iter().map(|body| (Some(PostId::new().to_string()), body.to_string().into_bytes())).collect();
    ground.publish_raw(&messages).await;
    dead(&ground, 6).await;
    for dead_letter in ground.dead_letters().await {
        assert_eq!((dead_letter.class, dead_letter.code.as_str()), (Class::Permanent, "malformed"));
        assert!(!dead_letter.message.is_empty() && !dead_letter.message.contains("private"), "{}", dead_letter.message);
    }
    assert!(!worker.said().contains("private"), "{}", worker.said());
    let post = ground.post("after a mark");
    let marked = [b"\xef\xbb\xbf".as_slice(), &post.to_body()].concat();
    ground.publish_raw(&[(None, marked)]).await;
    assert_eq!(stored(&ground, post.id).await.title, "after a mark");
}

/// Holds a lock on the row that a post is going to be, so that storing it runs into a lock wait.
async fn lock(ground: &Ground, id: PostId) -> mysql_async::Conn {
    let mut session = ground.session().await;
    session.query_drop("BEGIN").await.expect("a transaction");
    let columns = "'', '', 'approved', '[]', '', NOW(), NOW(), NOW(), '', 1";
    let statement = format!(
        "INSERT INTO posts (id, title, content, verdict, reasons, ruleset, submitted_at, reviewed_at, recorded_at, \
         worker, attempts) VALUES ('{id}', {columns})"
    );
    session.query_drop(statement).await.expect("the row can be locked");
    session
}

#[tokio::test]
async fn a_transient_failure_is_tried_again_by_the_backoff_schedule() {
    let ground = Ground::new().await;
    let mut environment = ground.environment();
    environment.push(("RUST_LOG", "info,sluice_worker=debug".to_owned()));
    let worker = start(&environment, &["--retry-base", "100ms"]);
    worker.says("consuming", 1).await;
    let post = ground.post("patience");
    let mut locked = lock(&ground, post.id).await;
    ground.publish(std::slice::from_ref(&post)).await;
    worker.says("will retry", 1).await;
    locked.query_drop("ROLLBACK").await.expect("the lock is given up");
    let row = stored(&ground, post.id).await;
    assert!(row.attempts >= 2, "stored at attempt {}", row.attempts);
    assert_eq!(ground.dead().await.ready, 0);
}

#[tokio::test]
async fn a_transient_failure_without_an_end_is_exhausted_and_its_neighbours_are_stored() {
    let ground = Ground::new().await;
    let _worker = worker(&ground, &["--max-attempts", "2", "--retry-base", "50ms"]).await;
    let (post, neighbour) = (ground.post("no end"), ground.post("neighbour"));
    let mut locked = lock(&ground, post.id).await;
    ground.publish(&[post.clone(), neighbour.clone()]).await;
    let row = stored(&ground, neighbour.id).await;
    assert_eq!(row.attempts, 1, "a neighbour spends no attempt on a locked row");
    dead(&ground, 1).await;
    let dead_letter = ground.dead_letters().await.remove(0);
    assert_eq!((dead_letter.id, dead_letter.class, dead_letter.attempts), (post.id.to_string(), Class::Exhausted, 2));
    assert_eq!(dead_letter.code, "mysql_1205");
    assert!(dead_letter.first_failed_at < dead_letter.last_failed_at, "the first of two failures came before the last");
    locked.query_drop("ROLLBACK").await.expect("the lock is given up");
}

#[tokio::test]
async fn what_a_stop_interrupts_goes_back_without_an_attempt_spent() {
    let ground = Ground::new().await;
    let (mut worker, proxy) = with_mysql_behind_a_proxy(&ground, &["--drain", "1s"]).await;
    proxy.cut();
    let post = ground.post("interrupted");
    ground.publish(std::slice::from_ref(&post)).await;
    worker.says("paused: mysql", 1).await;
    waiting(&ground, 0).await;
    assert!(worker.stop().await.success());
    waiting(&ground, 1).await;
    assert_eq!(ground.dead().await.ready, 0);
    proxy.heal();
    let _next = support::worker(&ground, &[]).await;
    assert_eq!(stored(&ground, post.id).await.attempts, 1);
}

#[tokio::test]
async fn what_a_killed_worker_held_is_delivered_again_and_stored_once() {
    let ground = Ground::new().await;
    let (mut killed, proxy) = with_mysql_behind_a_proxy(&ground, &[]).await;
    proxy.freeze();
    let post = ground.post("survivor");
    ground.publish(std::slice::from_ref(&post)).await;
    waiting(&ground, 0).await;
    killed.kill().await;
    waiting(&ground, 1).await;
    let _next = worker(&ground, &[]).await;
    stored(&ground, post.id).await;
    assert_eq!(ground.dead().await.ready, 0);
}

#[tokio::test]
async fn a_post_that_kills_its_worker_each_time_is_dead_lettered_and_its_neighbours_are_stored() {
    let ground = Ground::new().await;
    ground.declare().await;
    ground.store().migrate().await.expect("the schema can be brought up");
    let post = ground.post("poison");
    // Whoever takes it is stuck with it until it is killed.
    let mut locked = lock(&ground, post.id).await;
    ground.publish(std::slice::from_ref(&post)).await;
    for _ in 0..3 {
        let mut killed = worker(&ground, &["--max-deliveries", "3"]).await;
        waiting(&ground, 0).await;
        killed.kill().await;
        waiting(&ground, 1).await;
    }
    locked.query_drop("ROLLBACK").await.expect("the lock is given up");
    let neighbour = ground.post("neighbour");
    ground.publish(std::slice::from_ref(&neighbour)).await;
    let _worker = worker(&ground, &["--max-deliveries", "3"]).await;
    stored(&ground, neighbour.id).await;
    dead(&ground, 1).await;
    let dead_letter = ground.dead_letters().await.remove(0);
    assert_eq!((dead_letter.id, dead_letter.class), (post.id.to_string(), Class::CrashLoop));
    assert_eq!(dead_letter.attempts, 0, "it was not touched again");
}

#[tokio::test]
async fn a_dead_letter_that_nobody_takes_is_kept_in_flight_and_not_lost() {
    let ground = Ground::new().await;
    let mut worker = worker(&ground, &["--drain", "1s"]).await;
    let connection = ground.connect().await;
    let channel = connection.create_channel().await.expect("a channel");
    let gone = ground.topology().dead_letter_exchange();
    channel.exchange_delete(gone.into(), Default::default()).await.expect("the exchange can be deleted");
    let (bad, good) = (ground.post(&"x".repeat(300)), ground.post("good"));
    ground.publish(&[bad, good.clone()]).await;
    worker.says("the dead letter could not be published", 1).await;
    stored(&ground, good.id).await;
    assert!(worker.stop().await.success());
    waiting(&ground, 1).await;
    let _next = support::worker(&ground, &[]).await;
    dead(&ground, 1).await;
}
