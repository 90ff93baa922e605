//! A replay that is killed between the confirm of a copy and the acknowledgement of its dead letter: the one moment at
//! which a post is in both places. A hundred times, and then once to the end.

mod support;

use std::collections::HashSet;
use std::os::unix::process::ExitStatusExt as _;

use mysql_async::prelude::Queryable as _;
use sluice_lab::testing::{Program, eventually};
use support::{Dead, Ground, ids};

/// Deaths in all, and grounds that share them: the dead letters of one ground are in flight at one consumer at a time.
const DEATHS: usize = 100;
const GROUNDS: usize = 4;
/// The most dead letters that a run acknowledges before it dies.
const LET_THROUGH: usize = 3;
/// Enough for every death of a ground to find a dead letter.
const BATCH: usize = DEATHS / GROUNDS * LET_THROUGH + 10;
/// The deaths are the same in every run of this test.
const SEED: u64 = 20_261_122;

/// What became of one ground's dead letters.
#[derive(Debug, Default)]
struct Tally {
    deaths: usize,
    rows: usize,
    /// Deliveries that found their row.
    absorbed: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_is_killed_before_its_acknowledgement_loses_nothing_and_doubles_no_row() {
    let mut total = Tally::default();
    for tally in futures_util::future::join_all((0..GROUNDS).map(survive)).await {
        total.deaths += tally.deaths;
        total.rows += tally.rows;
        total.absorbed += tally.absorbed;
    }
    println!("{total:?}, seed {SEED}");
    assert_eq!((total.deaths, total.rows), (DEATHS, GROUNDS * BATCH));
    assert!(total.absorbed >= DEATHS / 2, "{} repeats: it did not die where it should", total.absorbed);
}

/// The deaths of one ground. A worker takes the copies of every second ground as they come, of the others at the end.
async fn survive(number: usize) -> Tally {
    let ground = Ground::new().await;
    let dead = Dead::some(BATCH);
    ground.dead(&dead).await;
    let mut random = fastrand::Rng::with_seed(SEED + number as u64);
    let mut worker = number.is_multiple_of(2).then(|| worker(&ground));
    let deaths = DEATHS / GROUNDS;
    for death in 0..deaths {
        let at = match random.usize(0..=LET_THROUGH) {
            0 => "replay_confirmed=return".to_owned(),
            through => format!("replay_confirmed={through}*off->return"),
        };
        let mut replay = ground.command(&["dlq", "replay", "--all", "--yes"]);
        let ran = replay.env("FAILPOINTS", &at).output().await.expect("the program was built");
        let said = String::from_utf8_lossy(&ran.stderr);
        // Without --all-features there are no such points, and it lives.
        assert_eq!(ran.status.signal(), Some(9), "death {death} of ground {number} at {at}: {}: {said}", ran.status);
    }
    ground.sluice(&["dlq", "replay", "--all", "--yes"]).await.ok();
    let worker = worker.get_or_insert_with(|| self::worker(&ground));
    let absorbed = settled(&ground, worker).await;
    let rows = rows(&ground).await;
    let expected: HashSet<_> = ids(&dead).into_iter().collect();
    assert_eq!(rows.iter().cloned().collect::<HashSet<_>>(), expected, "a dead letter is lost");
    assert_eq!(ground.dead_letters().await, 0);
    assert!(worker.stop().await.success());
    Tally { deaths, rows: rows.len(), absorbed }
}

fn worker(ground: &Ground) -> Program {
    ground.worker(&["--listen", "127.0.0.1:0"])
}

/// Waits until every copy has been taken and acknowledged. Gives how many of them found their row.
async fn settled(ground: &Ground, worker: &Program) -> usize {
    let metrics_url = eventually("the worker to say where it listens", async || {
        let said = worker.said();
        let mut events = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        events.find_map(|event| Some(format!("http://{}/metrics", event["address"].as_str()?))).ok_or(said)
    })
    .await;
    eventually("every copy to be acknowledged", async || {
        let metrics = reqwest::get(&metrics_url).await.expect("an answer").text().await.expect("a whole answer");
        let count = |name: &str| {
            let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<usize>().ok());
            line.unwrap_or_default()
        };
        let inserted = count("sluice_posts_recorded_total{result=\"inserted\"}");
        let absorbed = count("sluice_posts_recorded_total{result=\"already_recorded\"}");
        let acknowledged = count("sluice_deliveries_settled_total{settlement=\"ack\"}");
        let done = ground.queued().await == 0 && inserted >= BATCH && acknowledged == inserted + absorbed;
        if done { Ok(absorbed) } else { Err((inserted, absorbed, acknowledged)) }
    })
    .await
}

async fn rows(ground: &Ground) -> Vec<String> {
    let options = mysql_async::Opts::from_url(&ground.database_url).expect("a good address");
    let mut connection = mysql_async::Conn::new(options).await.expect("MySQL answers");
    let rows = connection.query("SELECT id FROM posts").await.expect("a list");
    connection.disconnect().await.expect("it can be closed");
    rows
}
