//! The question at the end of each run: is every accepted post in exactly one place, and in MySQL exactly once?
//!
//! It is asked twice. Once as an operator asks it, with `sluice verify`, while the workers still run. And once without
//! Sluice's own code, when all programs have ended: every row is read and held against what was sent, by id, by title
//! and by content.

use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use sluice_core::disposition::Class;
use sluice_core::post::PostId;
use tokio::time::sleep;

use crate::load::{Book, Sent};
use crate::stage::Stage;

/// How long the queue may take to become empty once all faults are fixed.
const EMPTIED: Duration = Duration::from_secs(120);

/// A row of the table.
#[derive(Debug, Clone)]
struct Row {
    id: PostId,
    title: String,
    content: String,
    recorded_at: i64,
}

/// Where everything was found.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) accepted: u64,
    pub(crate) in_doubt: u64,
    pub(crate) in_doubt_recorded: u64,
    pub(crate) recorded: u64,
    pub(crate) dead: u64,
    pub(crate) missing: u64,
    pub(crate) doubled: u64,
    /// When rows were stored, in microseconds since 1970, in order.
    pub(crate) recorded_at: Vec<i64>,
}

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

/// A dead letter.
#[derive(Debug, Clone)]
struct Dead {
    id: String,
    class: Class,
    code: String,
}

/// All that is anywhere when nothing runs any more.
#[derive(Debug, Clone, Default)]
struct Places {
    rows: Vec<Row>,
    dead: Vec<Dead>,
    /// Messages that are no posts, which must be dead letters.
    strangers: Vec<String>,
    /// Sour posts must be dead letters too.
    stays_sour: bool,
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

/// Holds what is there against what was sent; also what is wrong.
fn reckon(sent: &HashMap<PostId, Sent>, places: &Places) -> (Tally, Vec<String>) {
    let recorded: HashSet<PostId> = places.rows.iter().map(|row| row.id).collect();
    let dead: HashSet<PostId> = places.dead.iter().filter_map(|dead_letter| dead_letter.id.parse().ok()).collect();
    let mut tally = Tally {
        recorded: places.rows.len() as u64,
        dead: places.dead.len() as u64,
        recorded_at: places.rows.iter().map(|row| row.recorded_at).collect(),
        ..Tally::default()
    };
    tally.recorded_at.sort_unstable();
    for (id, sent) in sent {
        match (sent.accepted, recorded.contains(id), dead.contains(id)) {
            (true, false, false) => tally.missing += 1,
            (_, true, true) => tally.doubled += 1,
            _ => {}
        }
        tally.accepted += u64::from(sent.accepted);
        tally.in_doubt += u64::from(!sent.accepted);
        tally.in_doubt_recorded += u64::from(!sent.accepted && recorded.contains(id));
    }
    // The primary key sees to the ids; a second row under another id has the same title.
    let titles: HashSet<&str> = places.rows.iter().map(|row| row.title.as_str()).collect();
    tally.doubled += (places.rows.len() - titles.len().min(recorded.len())) as u64;
    let mut problems = Vec::new();
    let wrong_rows = places.rows.iter().filter_map(|row| wrong_row(row, sent, places.stays_sour));
    let wrong_dead_letters = places.dead.iter().filter_map(|dead_letter| wrong_dead_letter(dead_letter, sent, places));
    let lost = places.strangers.iter().filter(|id| !places.dead.iter().any(|dead_letter| dead_letter.id == **id));
    let lost = lost.map(|id| format!("{id}, which is no post, is not among the dead letters"));
    let wrong: Vec<String> = wrong_rows.chain(wrong_dead_letters).chain(lost).collect();
    if let Some(first) = wrong.first() {
        problems.push(format!("{} things are wrong, the first: {first}", wrong.len()));
    }
    if tally.missing > 0 {
        problems.push(format!("{} accepted posts are nowhere", tally.missing));
    }
    if tally.doubled > 0 {
        problems.push(format!("{} posts are in two places", tally.doubled));
    }
    (tally, problems)
}

/// Each row must be what was sent, character by character.
fn wrong_row(row: &Row, sent: &HashMap<PostId, Sent>, stays_sour: bool) -> Option<String> {
    let (id, title) = (row.id, &row.title);
    match sent.get(&id).map(|sent| &sent.draft) {
        None => Some(format!("nobody sent {id} ({title})")),
        Some(draft) if draft.title != *title || draft.content != row.content => {
            Some(format!("{id} ({title}) is not what was sent"))
        }
        Some(draft) if draft.sour && stays_sour => Some(format!("{id} ({title}) should have been refused")),
        Some(_) => None,
    }
}

/// Each dead letter must be one that was expected, with the right class and code.
fn wrong_dead_letter(dead_letter: &Dead, sent: &HashMap<PostId, Sent>, places: &Places) -> Option<String> {
    let post = dead_letter.id.parse().ok().and_then(|id: PostId| sent.get(&id));
    let right = match post {
        Some(post) => post.draft.sour && places.stays_sour && dead_letter.code == "mysql_4025",
        None => places.strangers.contains(&dead_letter.id) && dead_letter.code == "malformed",
    };
    let right = right && dead_letter.class == Class::Permanent;
    (!right).then(|| format!("a dead letter that should not be: {dead_letter:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Draft;

    /// Three posts, each with its row; the third was never accepted.
    fn well() -> (HashMap<PostId, Sent>, Places) {
        let draft = |title: &str| Draft {
            id: PostId::new(),
            title: title.to_owned(),
            content: "a text".to_owned(),
            key: None,
            sour: false,
        };
        let sent = ["one", "two", "three"].map(|title| Sent { draft: draft(title), accepted: title != "three" });
        let row = |sent: &Sent| Row {
            id: sent.draft.id,
            title: sent.draft.title.clone(),
            content: sent.draft.content.clone(),
            recorded_at: 0,
        };
        let rows = sent.iter().map(row).collect();
        (sent.into_iter().map(|sent| (sent.draft.id, sent)).collect(), Places { rows, ..Places::default() })
    }

    fn dead(id: &str) -> Dead {
        Dead { id: id.to_owned(), class: Class::Permanent, code: "malformed".to_owned() }
    }

    #[test]
    fn all_in_one_place_is_well_and_a_post_in_doubt_may_be_there_or_not() {
        let (sent, mut places) = well();
        let (tally, problems) = reckon(&sent, &places);
        assert_eq!(problems, [] as [String; 0]);
        assert_eq!((tally.accepted, tally.in_doubt, tally.in_doubt_recorded), (2, 1, 1));
        places.rows.pop();
        let (tally, problems) = reckon(&sent, &places);
        assert_eq!((problems.len(), tally.in_doubt_recorded), (0, 0));
    }

    #[test]
    fn a_lost_a_doubled_an_altered_and_an_unknown_post_are_each_found() {
        let (sent, places) = well();
        type Plant = fn(&mut Places);
        let planted: [(&str, Plant); 7] = [
            ("nowhere", |places| drop(places.rows.remove(0))),
            ("two places", |places| {
                places.rows.push(Row { id: PostId::new(), ..places.rows[0].clone() });
            }),
            ("two places", |places| places.dead.push(dead(&places.rows[0].id.to_string()))),
            ("not what was sent", |places| places.rows[1].content.push('!')),
            ("nobody sent", |places| places.rows[1].id = PostId::new()),
            ("should not be", |places| places.dead.push(dead("a stranger that nobody sent"))),
            ("not among the dead letters", |places| places.strangers.push("a stranger".to_owned())),
        ];
        for (words, plant) in planted {
            let mut places = places.clone();
            plant(&mut places);
            let (_, problems) = reckon(&sent, &places);
            assert!(problems.iter().any(|problem| problem.contains(words)), "{words}: {problems:?}");
        }
    }

    #[test]
    fn a_sour_post_must_be_a_dead_letter_with_the_tables_own_reason() {
        let (mut sent, mut places) = well();
        places.stays_sour = true;
        let id = places.rows[0].id;
        sent.get_mut(&id).expect("it was sent").draft.sour = true;
        assert!(reckon(&sent, &places).1[0].contains("should have been refused"));
        places.rows.remove(0);
        places.dead.push(Dead { code: "mysql_4025".to_owned(), ..dead(&id.to_string()) });
        assert_eq!(reckon(&sent, &places).1, [] as [String; 0]);
        places.dead[0].class = Class::Exhausted;
        assert!(reckon(&sent, &places).1[0].contains("should not be"));
    }
}
