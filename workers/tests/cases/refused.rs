//! A case cannot be opened: of every post, and then all wait; or of one, and then it fails alone.

use std::time::{Duration, Instant};

use sluice_core::disposition::Class;
use sluice_core::post::Post;
use sluice_lab::testing::{Program, eventually, in_time};

use crate::stage::{HELD, Stage};
use crate::support::{dead, waiting};

/// Attempts that would be spent within a second, if any were.
const HASTY: &[&str] = &["--max-attempts", "3", "--retry-base", "50ms", "--retry-cap", "100ms", "--hold", "60s"];

/// Whose cases the trigger meets.
const AUTHOR: &str = "somebody";

/// From now on, this happens to the case of a post by [`AUTHOR`].
async fn trigger(stage: &Stage, what: &str) {
    let body = format!("IF NEW.author = '{AUTHOR}' THEN {what}; END IF");
    stage
        .ground
        .sql(&format!("CREATE TRIGGER poison BEFORE INSERT ON review_cases FOR EACH ROW BEGIN {body}; END"))
        .await;
}

fn bad(stage: &Stage) -> Post {
    Post { author: Some(AUTHOR.to_owned()), ..stage.ground.post(HELD) }
}

async fn cases(stage: &Stage, wanted: u64) {
    eventually("cases to be opened", async || {
        let there = stage.number("SELECT COUNT(*) FROM review_cases").await;
        if there == wanted { Ok(()) } else { Err(there) }
    })
    .await;
}

/// The posts stayed at their first attempt.
async fn unharmed(stage: &Stage, worker: &Program) {
    assert_eq!(stage.ground.dead().await.ready, 0, "{}", worker.said());
    assert_eq!(stage.number("SELECT MAX(attempts) FROM posts").await, 1, "{}", worker.said());
}

#[tokio::test]
async fn without_the_table_of_cases_the_workers_pause_and_nothing_is_acknowledged_without_one() {
    let stage = Stage::new().await;
    let worker = stage.worker(HASTY).await;
    let mut posts = stage.held(12);
    posts.extend((0..12).map(|_| stage.ground.post("pear")));
    stage.ground.sql("RENAME TABLE review_cases TO review_cases_away").await;
    stage.ground.publish(&posts).await;
    worker.says("paused: mysql", 1).await;
    worker.says("mysql_1146", 1).await;
    // Longer than three attempts would take.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(worker.said().matches("resumed").count(), 0, "{}", worker.said());
    assert_eq!(stage.ground.dead().await.ready, 0, "{}", worker.said());
    stage.ground.sql("RENAME TABLE review_cases_away TO review_cases").await;
    worker.says("resumed", 1).await;
    cases(&stage, 12).await;
    unharmed(&stage, &worker).await;
    stage.drained(worker).await;
    assert_eq!(stage.accounted(&posts).await, 12);
}

#[tokio::test]
async fn a_worker_that_is_killed_while_the_table_is_gone_has_acknowledged_no_held_post() {
    let stage = Stage::new().await;
    let mut worker = stage.worker(HASTY).await;
    let posts = stage.held(5);
    stage.ground.sql("RENAME TABLE review_cases TO review_cases_away").await;
    stage.ground.publish(&posts).await;
    worker.says("paused: mysql", 1).await;
    worker.kill().await;
    waiting(&stage.ground, 5).await;
    stage.ground.sql("RENAME TABLE review_cases_away TO review_cases").await;
    stage.drained(stage.worker(HASTY).await).await;
    assert_eq!(stage.accounted(&posts).await, 5);
}

#[tokio::test]
async fn a_post_whose_case_is_refused_fails_alone_and_a_replay_opens_it_without_a_second_row() {
    let stage = Stage::new().await;
    trigger(&stage, "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not this author'").await;
    let (good, bad) = (stage.held(16), bad(&stage));
    let all = [&good[..8], std::slice::from_ref(&bad), &good[8..]].concat();
    stage.ground.publish(&all).await;
    let worker = stage.worker(HASTY).await;
    dead(&stage.ground, 1).await;
    cases(&stage, 16).await;
    let dead_letter = stage.ground.dead_letters().await.remove(0);
    assert_eq!((dead_letter.id, dead_letter.class, dead_letter.attempts), (bad.id.to_string(), Class::Permanent, 1));
    assert_eq!(dead_letter.code, "mysql_1644");
    assert!(dead_letter.message.contains("not this author"), "{}", dead_letter.message);
    assert_eq!(worker.said().matches("paused").count(), 0, "{}", worker.said());
    assert_eq!(stage.number("SELECT MAX(attempts) FROM posts").await, 1);
    stage.drained(worker).await;
    assert_eq!(stage.accounted(&all).await, 16);
    stage.ground.sql("DROP TRIGGER poison").await;
    // A replay is a new message with the same id and body.
    stage.ground.publish(std::slice::from_ref(&bad)).await;
    stage.drained(stage.worker(HASTY).await).await;
    assert_eq!(stage.accounted(&all).await, 17);
}

#[tokio::test]
async fn a_replay_of_a_dead_letter_whose_post_was_decided_meanwhile_opens_no_second_case() {
    let stage = Stage::new().await;
    trigger(&stage, "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not this author'").await;
    let bad = bad(&stage);
    stage.ground.publish(std::slice::from_ref(&bad)).await;
    let worker = stage.worker(HASTY).await;
    dead(&stage.ground, 1).await;
    stage.ground.sql("DROP TRIGGER poison").await;
    // A sweep finds the row, and a person decides, before anybody looks at the dead letter.
    let store = stage.ground.store();
    let (_, held) = store.sweep_held(None, 100).await.expect("the database answers");
    let new: Vec<_> = held.into_iter().map(|post| post.case([7; 16])).collect();
    assert_eq!(store.open_cases(&new).await.expect("cases can be opened"), 1);
    stage.approve(&bad).await;
    stage.ground.publish(std::slice::from_ref(&bad)).await;
    stage.drained(worker).await;
    assert_eq!(stage.accounted(std::slice::from_ref(&bad)).await, 1);
    stage.is_approved(&bad).await;
}

#[tokio::test]
async fn two_refusals_in_one_group_cost_their_neighbours_no_attempt() {
    let stage = Stage::new().await;
    // An error that looks like what passes by itself: it is tried again until its attempts are spent.
    trigger(&stage, "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'said so'").await;
    let (good, bad) = (stage.held(30), [bad(&stage), bad(&stage)]);
    let all = [&good[..15], &bad[..], &good[15..]].concat();
    stage.ground.publish(&all).await;
    let worker = stage.worker(&[HASTY, &["--concurrency", "32"]].concat()).await;
    dead(&stage.ground, 2).await;
    cases(&stage, 30).await;
    assert_eq!(worker.said().matches("paused").count(), 0, "{}", worker.said());
    for dead_letter in stage.ground.dead_letters().await {
        assert!(bad.iter().any(|post| post.id.to_string() == dead_letter.id), "{dead_letter:?}");
        assert_eq!((dead_letter.class, dead_letter.attempts), (Class::Exhausted, 3), "{dead_letter:?}");
    }
    stage.drained(worker).await;
    assert_eq!(stage.accounted(&all).await, 30);
}

#[tokio::test]
async fn a_case_that_takes_for_ever_keeps_no_other_held_post_waiting() {
    let stage = Stage::new().await;
    // MariaDB ends a sleep whose client has left, which it looks for each 5 s; the second one is killed.
    trigger(&stage, "DO SLEEP(60); DO SLEEP(60)").await;
    let worker = stage.worker(&["--max-attempts", "3", "--retry-base", "50ms", "--concurrency", "8"]).await;
    let bad = bad(&stage);
    stage.ground.publish(std::slice::from_ref(&bad)).await;
    // It is under way: its row is there.
    crate::support::stored(&stage.ground, bad.id).await;
    let (begun, good) = (Instant::now(), stage.held(20));
    stage.ground.publish(&good).await;
    cases(&stage, 20).await;
    in_time("twenty cases beside one that takes for ever", begun.elapsed(), Duration::from_secs(1));
    eventually("the bad one to be a dead letter", async || match stage.ground.dead().await {
        depth if depth.ready == 1 => Ok(()),
        depth => Err(format!("{depth:?} {}", worker.said())),
    })
    .await;
    assert_eq!(worker.said().matches("paused").count(), 0, "{}", worker.said());
    assert_eq!(stage.number("SELECT MAX(attempts) FROM posts").await, 1);
    assert!(begun.elapsed() >= Duration::from_secs(10), "it was tried three times: {:?}", begun.elapsed());
    stage.drained(worker).await;
    assert_eq!(stage.accounted(&[&good[..], &[bad]].concat()).await, 20);
}

#[tokio::test]
async fn a_case_that_panics_fails_its_post_and_no_other() {
    let stage = Stage::new().await;
    let (good, bad) = (stage.held(10), stage.ground.post("apple poison"));
    let all = [&good[..5], std::slice::from_ref(&bad), &good[5..]].concat();
    stage.ground.publish(&all).await;
    let worker = stage.start("case.apple poison=panic", HASTY);
    worker.says("consuming", 1).await;
    dead(&stage.ground, 1).await;
    cases(&stage, 10).await;
    let dead_letter = stage.ground.dead_letters().await.remove(0);
    assert_eq!((dead_letter.id, dead_letter.code.as_str()), (bad.id.to_string(), "case_panicked"));
    stage.drained(worker).await;
    assert_eq!(stage.accounted(&all).await, 10);
}
