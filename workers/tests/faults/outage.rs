//! MySQL is down, hangs or refuses: the gate closes, nothing is spent, nothing dies, and work resumes by itself.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use nix::sys::signal::Signal;
use sluice_lab::devstack::StackOptions;
use sluice_lab::testing::{Ground, Program, eventually, in_time};

use crate::stage::{Stage, all_stored, flood, number, posts, queue};
use crate::support::{start, stored, with_mysql_behind_a_proxy};
use crate::vital::{metric, page, watch};

/// Consumers of the worker, each with one post in flight.
const IN_FLIGHT: u32 = 8;
/// Posts that arrive during the outage.
const POSTS: u32 = 20;
/// From its beginning until it is noticed: the longest a statement may take.
const NOTICED: Duration = Duration::from_secs(5);
/// From the end of an outage until all of its posts are stored.
pub(crate) const RESUMED: Duration = Duration::from_secs(5);
/// How late a line about a post may come, so that there are never too many at once.
const TOLD_LATE: Duration = Duration::from_secs(2);
/// How long a paused worker is watched.
const WATCHED: Duration = Duration::from_secs(4);

/// One outage from its beginning, which has just been made, to what a worker does before its end.
async fn endured(ground: &Ground, worker: &Program, outage: &str, nth: usize) -> Vec<sluice_core::post::Post> {
    let begun = Instant::now();
    let posts = posts(ground, POSTS as usize, outage);
    flood(ground, &posts).await;
    worker.says("paused: mysql", nth).await;
    let noticed = begun.elapsed();
    in_time(format!("{outage}: noticed"), noticed, NOTICED);
    // All of them, where the outage before ended a moment ago: it goes on then, and so does its hold.
    eventually("the posts beyond those in flight to wait", async || {
        let depth = ground.depth().await;
        if depth.ready >= POSTS - IN_FLIGHT { Ok(()) } else { Err(depth) }
    })
    .await;
    let (status, why) = page(worker, "/readyz").await;
    assert!(status == 503 && why.contains("paused: mysql since 20"), "{outage}: {status} {why}");
    assert_eq!(metric(worker, "sluice_worker_paused{dependency=\"mysql\"}").await, 1.0, "{outage}");
    // Held too long, they go back, and nobody consumes.
    queue(ground, POSTS, 0).await;
    println!("{outage}: noticed after {noticed:.2?}, released after {:.2?}", begun.elapsed());
    posts
}

/// The end of an outage has just been made.
pub(crate) async fn resumed(ground: &Ground, worker: &Program, outage: &str, posts: &[sluice_core::post::Post]) {
    let took = all_stored(ground, posts).await;
    println!("{outage}: resumed after {took:.2?}");
    in_time(format!("{outage}: work resumed"), took, RESUMED);
    queue(ground, 0, IN_FLIGHT).await;
    assert_eq!(ground.dead().await.ready, 0, "{outage}: {}", worker.said());
    assert_eq!(number(ground, "SELECT MAX(attempts) FROM posts").await, 1, "{outage}: an outage spends no attempt");
    assert_eq!(metric(worker, "sluice_worker_paused{dependency=\"mysql\"}").await, 0.0, "{outage}");
}

/// A paused worker is as quiet as an idle one, once it has told of what it stored before.
pub(crate) async fn quiet(worker: &Program, outage: &str) {
    tokio::time::sleep(TOLD_LATE).await;
    let seen = watch(worker, WATCHED).await;
    println!("{outage}: paused {seen:?}");
    assert!(seen.core < 0.05 && seen.lines <= 1.0, "{outage}: {seen:?}\n{}", worker.said());
}

#[tokio::test]
async fn a_mysql_that_is_killed_or_frozen_pauses_the_work_and_costs_no_post_anything() {
    let Stage { ground, stack } = Stage::new(StackOptions::default()).await;
    let worker = start(&ground.environment(), &["--hold", "2s", "--listen", "127.0.0.1:0"]);
    worker.says("consuming", 1).await;
    println!("idle: {:?}", watch(&worker, WATCHED).await);
    let mysql = stack.database();

    mysql.kill().await.expect("it is ours to kill");
    let posts = endured(&ground, &worker, "killed", 1).await;
    quiet(&worker, "killed").await;
    mysql.start().await.expect("it comes back");
    resumed(&ground, &worker, "killed", &posts).await;

    mysql.freeze().expect("it runs");
    let posts = endured(&ground, &worker, "frozen", 2).await;
    quiet(&worker, "frozen").await;
    mysql.thaw().expect("it runs");
    resumed(&ground, &worker, "frozen", &posts).await;

    // In its own time, under load: it says that it goes, to each statement in its own words.
    let load = crate::stage::posts(&ground, 3000, "goes");
    flood(&ground, &load).await;
    mysql.stop().await.expect("it ends");
    worker.says("paused: mysql", 3).await;
    mysql.start().await.expect("it comes back");
    all_stored(&ground, &load).await;
    assert_eq!(ground.dead().await.ready, 0, "{}", worker.said());
    assert_eq!(number(&ground, "SELECT MAX(attempts) FROM posts").await, 1, "a shutdown spends no attempt");
}

/// An account that obeys what root may pass over.
async fn account(ground: &Ground) -> String {
    let root = mysql_async::Opts::from_url(&ground.database_url).expect("a valid address");
    let password = root.pass().expect("a private server has a password");
    ground.sql(&format!("CREATE USER IF NOT EXISTS sluice@'127.0.0.1' IDENTIFIED BY '{password}'")).await;
    ground.sql(&format!("GRANT ALL ON {}.* TO sluice@'127.0.0.1'", ground.name)).await;
    ground.database_url.replace("//root:", "//sluice:")
}

/// Ends the worker's connections, so that it needs new ones.
async fn hang_up(ground: &Ground) {
    let mut root = ground.session().await;
    let ids: Vec<u64> = root
        .query("SELECT id FROM information_schema.processlist WHERE user = 'sluice' AND db IS NOT NULL")
        .await
        .expect("a list");
    for id in ids {
        // It may have ended meanwhile.
        let _ = root.query_drop(format!("KILL {id}")).await;
    }
}

#[tokio::test]
async fn a_mysql_that_is_read_only_locked_or_out_of_connections_pauses_the_work_and_costs_no_post_anything() {
    let Stage { ground, stack: _stack } = Stage::new(StackOptions::default()).await;
    let mut environment = ground.environment();
    environment.push(("DATABASE_URL", account(&ground).await));
    let worker = start(&environment, &["--hold", "1s", "--listen", "127.0.0.1:0"]);
    worker.says("consuming", 1).await;

    ground.sql("SET GLOBAL read_only = 1").await;
    let posts = endured(&ground, &worker, "read-only", 1).await;
    quiet(&worker, "read-only").await;
    ground.sql("SET GLOBAL read_only = 0").await;
    resumed(&ground, &worker, "read-only", &posts).await;

    let transactions = read_only_transactions(&ground).await;
    ground.sql(&format!("SET GLOBAL {transactions} = 1")).await;
    hang_up(&ground).await;
    let posts = endured(&ground, &worker, "read-only transactions", 2).await;
    ground.sql(&format!("SET GLOBAL {transactions} = 0")).await;
    hang_up(&ground).await;
    resumed(&ground, &worker, "read-only transactions", &posts).await;

    // As a backup does.
    let mut backup = ground.session().await;
    backup.query_drop("FLUSH TABLES WITH READ LOCK").await.expect("a lock");
    let posts = endured(&ground, &worker, "locked", 3).await;
    backup.query_drop("UNLOCK TABLES").await.expect("no lock");
    drop(backup);
    resumed(&ground, &worker, "locked", &posts).await;

    ground.sql("SET GLOBAL max_connections = 10").await;
    hang_up(&ground).await;
    eventually("all connections but the asking one to be gone", async || {
        let others = "SELECT COUNT(*) FROM information_schema.processlist WHERE user IN ('root', 'sluice')";
        let connections = number(&ground, others).await;
        if connections == 1 { Ok(()) } else { Err(connections) }
    })
    .await;
    let mut crowd = Vec::new();
    let account = mysql_async::Opts::from_url(&environment[3].1).expect("a valid address");
    // The place of the connection that asked may become free after the server was full: the worker would get it.
    let mut full = Instant::now();
    while full.elapsed() < Duration::from_secs(1) {
        match mysql_async::Conn::new(account.clone()).await {
            Ok(one) => {
                crowd.push(one);
                assert!(crowd.len() < 100, "the server takes any number");
                full = Instant::now();
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    let posts = endured(&ground, &worker, "out of connections", 4).await;
    quiet(&worker, "out of connections").await;
    drop(crowd);
    resumed(&ground, &worker, "out of connections", &posts).await;
}

/// What MySQL and MariaDB call the setting that makes new transactions read-only.
async fn read_only_transactions(ground: &Ground) -> String {
    let query = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('tx_read_only', 'transaction_read_only')";
    let found: Option<(String, String)> = ground.session().await.query_first(query).await.expect("the query is valid");
    found.expect("every version has one of them").0
}

#[tokio::test]
async fn a_statement_whose_fate_is_unknown_is_repeated_and_leaves_one_row() {
    let ground = Ground::new().await;
    let (worker, proxy) = with_mysql_behind_a_proxy(&ground, &["--listen", "127.0.0.1:0"]).await;
    // The insert arrives, and waits there; its answer goes lost.
    let mut locked = ground.session().await;
    locked.query_drop("LOCK TABLES posts WRITE").await.expect("a lock");
    let post = ground.post("unknown");
    ground.publish(std::slice::from_ref(&post)).await;
    eventually("the insert to wait in the server", async || {
        let state = format!(
            "SELECT COUNT(*) FROM information_schema.processlist WHERE db = '{}' AND state LIKE 'Waiting for table%'",
            ground.name
        );
        if number(&ground, &state).await > 0 { Ok(()) } else { Err("not yet") }
    })
    .await;
    proxy.freeze();
    locked.query_drop("UNLOCK TABLES").await.expect("no lock");
    let first = stored(&ground, post.id).await;
    worker.says("paused: mysql", 1).await;
    worker.says("mysql_timeout", 1).await;
    proxy.heal();
    worker.says("resumed", 1).await;
    eventually("the post to be found stored", async || {
        let found = metric(&worker, "sluice_posts_recorded_total{result=\"already_recorded\"}").await;
        if found == 1.0 { Ok(()) } else { Err(found) }
    })
    .await;
    assert_eq!(number(&ground, "SELECT COUNT(*) FROM posts").await, 1);
    assert_eq!(stored(&ground, post.id).await, first, "the first write stands");
    let mut worker = worker;
    worker.signal(Signal::SIGTERM);
    assert!(worker.ended().await.success());
    assert_eq!(ground.depth().await.ready, 0, "it was acknowledged");
}
