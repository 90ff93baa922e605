//! The question at the end of each run: is every accepted post in exactly one place, and in MySQL exactly once?
//!
//! It is asked twice. Once as an operator asks it, with `sluice verify`, while the workers still run. And once without
//! Sluice's own code, when all programs have ended: every row is read and held against what was sent, by id, by title
//! and by content.

use std::io::Write as _;
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use tokio::time::sleep;

use crate::load::Book;
use crate::reckoning::{Dead, Places, Row, Tally, reckon};
use crate::stage::Stage;

/// How long the queue may take to become empty once all faults are fixed.
const EMPTIED: Duration = Duration::from_secs(120);

/// Waits until the queue is empty, and asks as an operator does.
pub(crate) async fn verify(stage: &Stage<'_>, book: &Book) {
    let begun = Instant::now();
    while stage.ground.depth().await.ready > 0 {
        if begun.elapsed() > EMPTIED {
            stage.problem(format!("the queue is not empty after {EMPTIED:?}"));
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    let mut receipts = tempfile::NamedTempFile::new().expect("a temporary file");
    for sent in book.sent().values().filter(|sent| sent.accepted) {
        writeln!(receipts, "{}", sent.draft.id).expect("it can be written");
    }
    let path = receipts.path().display().to_string();
    let args = ["verify", "--receipts", &path, "--wait", "60s", "--settle", "10s", "--json"];
    let ran = stage.operate(&args).await;
    let words = String::from_utf8_lossy(&ran.stdout).into_owned();
    let report: serde_json::Value = serde_json::from_str(&words).unwrap_or_default();
    let nothing = ["missing", "duplicate", "queued"].iter().all(|key| report[*key] == 0);
    if !ran.status.success() || !nothing {
        let errors = String::from_utf8_lossy(&ran.stderr).into_owned();
        // It names up to a hundred ids.
        let words: String = words.trim().chars().take(400).collect();
        stage.problem(format!("sluice verify is not content: {} {words} {}", ran.status, errors.trim()));
    }
}

/// Asks without Sluice's own code for rows. Nothing runs any more but the servers.
pub(crate) async fn count(stage: &Stage<'_>, book: &Book) -> Tally {
    let waiting = stage.ground.depth().await.ready;
    if waiting > 0 {
        stage.problem(format!("{waiting} messages wait in the queue after the end of all workers"));
    }
    let dead = stage.ground.dead_letters().await.into_iter();
    let places = Places {
        rows: rows(stage).await,
        dead: dead
            .map(|dead_letter| Dead { id: dead_letter.id, class: dead_letter.class, code: dead_letter.code })
            .collect(),
        strangers: stage.findings().strangers.clone(),
        stays_sour: stage.needs.stays_sour,
    };
    let (tally, problems) = reckon(&book.sent(), &places);
    problems.into_iter().for_each(|problem| stage.problem(problem));
    tally
}

async fn rows(stage: &Stage<'_>) -> Vec<Row> {
    let mut session = stage.ground.session().await;
    let query = "SELECT id, title, content, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', recorded_at) FROM posts";
    let read = |(id, title, content, recorded_at): (String, String, String, i64)| Row {
        id: id.parse().expect("the key of a row is an id"),
        title,
        content,
        recorded_at,
    };
    let rows = session.query_map(query, read).await.expect("the table is there");
    let counted: Option<(u64, u64, u64)> = session
        .query_first("SELECT COUNT(*), COUNT(DISTINCT id), COUNT(DISTINCT title) FROM posts")
        .await
        .expect("the table is there");
    let (all, ids, titles) = counted.expect("a count is a row");
    if all != rows.len() as u64 || ids != all || titles != all {
        stage.problem(format!("{all} rows, {ids} ids, {titles} titles, {} read", rows.len()));
    }
    rows
}
