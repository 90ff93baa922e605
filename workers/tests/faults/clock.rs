//! The wall clock is wrong, or is set while a worker works.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use sluice_lab::testing::{Clock, Ground, Program, Proxy, eventually, in_time};

use crate::stage::{accounted, all_stored, posts};
use crate::support::{dead, start, waiting};
use crate::vital::metric;

/// A worker that goes by this clock; only the wall clock is false.
fn worker(clock: &Clock, ground: &Ground, database: &Proxy) -> Program {
    let mut environment = ground.environment();
    environment.push(("DATABASE_URL", ground.database_url_via(database.addr())));
    environment.extend(clock.environment());
    start(&environment, &["--listen", "127.0.0.1:0", "--max-attempts", "2", "--hold", "20s"])
}

/// How many seconds a row's time of review is from the database's own clock.
async fn skew(ground: &Ground, title: &str) -> i64 {
    let query =
        format!("SELECT MAX(TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), reviewed_at)) FROM posts WHERE title = '{title}'");
    ground.session().await.query_first(query).await.expect("the query is valid").expect("a row")
}

#[tokio::test]
async fn a_clock_that_is_wrong_or_set_back_costs_no_post_and_stretches_no_wait() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let clock = Clock::new(folder.path());
    let ground = Ground::new().await;
    let database = Proxy::start(ground.database_address()).expect("a free port");
    let mut worker = worker(&clock, &ground, &database);
    worker.says("consuming", 1).await;
    let mut load = Vec::new();
    for (title, seconds) in [("right", 0), ("ahead", 3600), ("behind", -3600)] {
        clock.set(seconds);
        let posts = posts(&ground, 20, title);
        ground.publish(&posts).await;
        all_stored(&ground, &posts).await;
        let seen = skew(&ground, title).await;
        assert!((seconds - 60..=seconds + 60).contains(&seen), "the worker's clock is not {title}: {seen} s");
        load.extend(posts);
    }

    // Set back in the midst of a pause, by two hours: the waits go by another clock.
    clock.set(3600);
    database.cut();
    let paused = posts(&ground, 8, "paused");
    ground.publish(&paused).await;
    worker.says("paused: mysql", 1).await;
    clock.set(-3600);
    waiting(&ground, 0).await;
    database.heal();
    let took = all_stored(&ground, &paused).await;
    in_time("resumed", took, Duration::from_secs(5));
    worker.says("resumed", 1).await;
    let said = worker.said();
    let lasted = said.split("resumed: mysql is back seconds=").nth(1).and_then(|rest| rest.lines().next());
    let lasted: f64 = lasted.expect("it says how long").parse().expect("a number");
    assert!((0.0..30.0).contains(&lasted), "a pause of {lasted} s");
    load.extend(paused);

    // Set back between two failures of one post.
    clock.set(3600);
    let locked_out = ground.post("locked out");
    let mut lock = ground.session().await;
    lock.query_drop("BEGIN").await.expect("a transaction");
    lock.query_drop(format!(
        "INSERT INTO posts (id, title, content, verdict, reasons, ruleset, submitted_at, reviewed_at, recorded_at, \
         worker, attempts) VALUES ('{}', '', '', 'approved', '[]', '', NOW(), NOW(), NOW(), '', 1)",
        locked_out.id
    ))
    .await
    .expect("the row can be locked");
    ground.publish(std::slice::from_ref(&locked_out)).await;
    eventually("the first attempt to have failed", async || {
        let failed = metric(&worker, "sluice_attempts_failed_total{code=\"mysql_1205\"}").await;
        if failed >= 1.0 { Ok(()) } else { Err(failed) }
    })
    .await;
    clock.set(-3600);
    dead(&ground, 1).await;
    lock.query_drop("ROLLBACK").await.expect("the lock is given up");
    let dead_letter = ground.dead_letters().await.remove(0);
    assert!(dead_letter.first_failed_at <= dead_letter.last_failed_at, "{dead_letter:?}");
    load.push(locked_out);

    assert!(metric(&worker, "sluice_post_age_seconds_sum").await >= 0.0);
    assert!(worker.stop().await.success());
    assert!(!worker.said().contains("panicked"), "{}", worker.said());
    assert_eq!(accounted(&ground, &load).await.len(), 1);
}
