//! How much is asked: the circuit, the slots, one question a post.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use sluice_lab::testing::eventually;
use sluice_rabbit::worker_status;

use crate::server::{Manner, Server};
use crate::stage::Stage;
use crate::support::{stored, waiting};

#[tokio::test]
async fn one_that_failed_too_often_is_left_alone_and_the_worker_status_says_so() {
    let server = Server::start(Manner::Says(500, String::new())).await;
    let stage = Stage::new(&server.url(), &["--reviewer-trip", "2", "--reviewer-rest", "1h"]).await;
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(stage.report("doubtful").await.outcome().1.to_owned());
    }
    assert_eq!(codes[..2], ["reviewer_status_500"; 2]);
    assert_eq!(codes[2..], ["reviewer_circuit_open"; 2]);
    assert_eq!(server.asked().len(), 2);
    assert_eq!(stage.worker.said().matches("not asked for now").count(), 1);
    let reviewer = eventually("an answer", async || {
        let call =
            worker_status::call(&stage.ground.broker(), &stage.ground.topology(), Duration::from_millis(500)).await;
        call.map_err(|error| error.to_string())?.pop().and_then(|status| status.reviewer).ok_or("silence".to_owned())
    })
    .await;
    assert_eq!((reviewer.circuit.as_str(), reviewer.since.is_some()), ("open", true));
    assert!(reviewer.why.is_some_and(|why| why.starts_with("reviewer_status_500: ")));
}

#[tokio::test]
async fn it_is_asked_again_once_it_is_back() {
    let server = Server::start(Manner::Says(500, String::new())).await;
    let stage = Stage::new(&server.url(), &["--reviewer-trip", "1", "--reviewer-rest", "200ms"]).await;
    assert_eq!(stage.report("doubtful").await.outcome(), ("held", "reviewer_status_500"));
    stage.worker.says("not asked for now", 1).await;
    server.behaves(Manner::Right);
    eventually("a post that it is asked about", async || {
        let told = stage.report("doubtful").await;
        if told.row.verdict == "approved" { Ok(()) } else { Err(told) }
    })
    .await;
    stage.worker.says("the outside reviewer answers again", 1).await;
}

#[tokio::test]
async fn no_more_requests_are_open_than_there_are_slots() {
    let server = Server::start(Manner::Slow).await;
    let stage = Stage::new(&server.url(), &["--reviewer-concurrency", "2", "--reviewer-timeout", "30s"]).await;
    let posts: Vec<_> = (0..8).map(|number| stage.ground.post(&format!("doubtful {number}"))).collect();
    stage.ground.publish(&posts).await;
    // All are in flight, two of them with the reviewer.
    waiting(&stage.ground, 0).await;
    eventually("two open requests", async || if server.open() == 2 { Ok(()) } else { Err(server.open()) }).await;
    server.behaves(Manner::Right);
    for post in &posts {
        assert_eq!(stage.told(post).await.row.verdict, "approved");
    }
    assert_eq!((server.most(), server.asked().len()), (2, 8));
}

#[tokio::test]
async fn who_finds_no_slot_in_time_is_held_as_busy() {
    let server = Server::start(Manner::Silent).await;
    let args = ["--reviewer-concurrency", "1", "--reviewer-timeout", "500ms", "--reviewer-trip", "1000"];
    let stage = Stage::new(&server.url(), &args).await;
    let posts: Vec<_> = (0..24).map(|number| stage.ground.post(&format!("doubtful {number}"))).collect();
    stage.ground.publish(&posts).await;
    let mut busy = 0;
    for post in &posts {
        let told = stage.told(post).await;
        let (verdict, code) = told.outcome();
        assert!(verdict == "held" && ["reviewer_busy", "reviewer_timeout"].contains(&code), "{told:?}");
        busy += usize::from(code == "reviewer_busy");
    }
    assert!(busy > 0, "eight consumers share one slot");
    // The server may see a question before it sees that the one before it was given up.
    assert!(server.most() <= 2, "{} at once", server.most());
}

#[tokio::test]
async fn a_stop_interrupts_a_question_and_the_post_goes_back_unspent() {
    let server = Server::start(Manner::Silent).await;
    let mut stage = Stage::new(&server.url(), &["--drain", "1s", "--reviewer-timeout", "30s"]).await;
    let post = stage.ground.post("doubtful");
    stage.ground.publish(std::slice::from_ref(&post)).await;
    eventually("an open request", async || if server.open() == 1 { Ok(()) } else { Err(server.open()) }).await;
    assert!(stage.worker.stop().await.success());
    waiting(&stage.ground, 1).await;
    assert_eq!(stage.ground.dead().await.ready, 0);
    server.behaves(Manner::Right);
    let _next = stage.another(&server.url(), &[]).await;
    let told = stage.told(&post).await;
    assert_eq!((told.row.verdict.as_str(), told.row.attempts), ("approved", 1));
}

#[tokio::test]
async fn a_post_that_is_tried_again_is_asked_about_once() {
    let server = Server::start(Manner::Right).await;
    let stage = Stage::new(&server.url(), &["--retry-base", "50ms"]).await;
    let post = stage.ground.post("doubtful");
    let mut locked = stage.ground.session().await;
    locked.query_drop("BEGIN").await.expect("a transaction");
    let columns = "'', '', 'approved', '[]', '', NOW(), NOW(), NOW(), '', 1";
    let statement = format!(
        "INSERT INTO posts (id, title, content, verdict, reasons, ruleset, submitted_at, reviewed_at, recorded_at, \
         worker, attempts) VALUES ('{}', {columns})",
        post.id
    );
    locked.query_drop(statement).await.expect("the row can be locked");
    stage.ground.publish(std::slice::from_ref(&post)).await;
    stage.worker.says("will retry", 1).await;
    locked.query_drop("ROLLBACK").await.expect("the lock is given up");
    let row = stored(&stage.ground, post.id).await;
    assert!(row.attempts >= 2, "stored at attempt {}", row.attempts);
    assert_eq!((row.verdict.as_str(), server.asked().len()), ("approved", 1));
}
