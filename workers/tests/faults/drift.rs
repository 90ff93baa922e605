//! Somebody changes the table while a worker uses it: an operator's matter, which pauses the work and costs no post.

use sluice_lab::testing::{Ground, Program, in_time};
use sluice_mysql::Store;

use crate::stage::{all_stored, number, posts};
use crate::support::{waiting, worker};

/// A change of the table, what MySQL says to it, and how it is undone.
const DRIFTS: [(&str, &str, &str); 4] = [
    (
        "ALTER TABLE posts DROP COLUMN ruleset",
        "mysql_1054",
        "ALTER TABLE posts ADD COLUMN ruleset VARCHAR(100) NOT NULL",
    ),
    (
        "ALTER TABLE posts CHANGE author writer VARCHAR(100) NULL",
        "mysql_1054",
        "ALTER TABLE posts CHANGE writer author VARCHAR(100) NULL",
    ),
    (
        "ALTER TABLE posts ADD COLUMN language VARCHAR(8) NOT NULL",
        "mysql_1364",
        "ALTER TABLE posts ALTER COLUMN language SET DEFAULT 'en'",
    ),
    ("RENAME TABLE posts TO posts_away", "mysql_1146", "RENAME TABLE posts_away TO posts"),
];

/// Posts arrive while the table is not as it was: they wait, whatever the probe is told meanwhile.
async fn drifted(ground: &Ground, worker: &Program, nth: usize, (change, code, undo): (&str, &str, &str)) {
    ground.sql(change).await;
    let posts = posts(ground, 12, "drift");
    ground.publish(&posts).await;
    worker.says("paused: mysql", nth).await;
    let said = worker.said();
    let line = said.lines().rfind(|line| line.contains("paused: mysql")).expect("it was just said");
    assert!(line.contains(code) && line.contains("sluice migrate"), "{line}");
    // The probe has asked several times by then.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(worker.said().matches("resumed").count(), nth - 1, "{change}: nothing is fixed yet");
    waiting(ground, 4).await;
    ground.sql(undo).await;
    let took = all_stored(ground, &posts).await;
    println!("{change}: resumed {took:.2?} after it was fixed");
    in_time(format!("{change}: resumed"), took, std::time::Duration::from_secs(5));
    assert_eq!(ground.dead().await.ready, 0, "{}", worker.said());
}

#[tokio::test]
async fn a_table_that_was_changed_pauses_the_work_until_it_is_fixed() {
    let ground = Ground::new().await;
    let worker = worker(&ground, &[]).await;
    for (nth, drift) in DRIFTS.into_iter().enumerate() {
        drifted(&ground, &worker, nth + 1, drift).await;
    }
    let attempts = number(&ground, "SELECT MAX(attempts) FROM posts").await;
    assert_eq!(attempts, 1, "an operator's mistake spends no attempt");
}

#[tokio::test]
async fn a_rehearsal_leaves_nothing_behind() {
    let ground = Ground::new().await;
    let store: Store = ground.store();
    assert_eq!(store.probe().await.map_err(|failure| failure.code), Err("mysql_1146".to_owned()));
    store.migrate().await.expect("the schema can be brought up");
    for rule in ["1 = 1", "title <> 'rehearsal'"] {
        ground.sql(&format!("ALTER TABLE posts ADD CONSTRAINT CHECK ({rule})")).await;
        assert_eq!(store.probe().await, Ok(()), "{rule}: the rule is for posts, and not the server's trouble");
    }
    assert_eq!(number(&ground, "SELECT COUNT(*) FROM posts").await, 0);
}
