//! Workers of an older version beside a schema that a newer one has upgraded.

use mysql_async::prelude::Queryable as _;
use sluice_core::post::PostId;
use sluice_lab::testing::Ground;

/// The insert of the version before the column `sender`.
const BEFORE: &str = "INSERT INTO posts (id, title, content, author, verdict, reasons, ruleset, submitted_at, \
                      reviewed_at, recorded_at, worker, attempts, scores) VALUES (?, 't', 'c', NULL, 'approved', \
                      '[]', 'r', NOW(6), NOW(6), NOW(6), 'old', 1, '[]') ON DUPLICATE KEY UPDATE id = id";

#[tokio::test]
async fn an_older_worker_stores_posts_in_the_newer_schema_without_a_sender() {
    let ground = Ground::new().await;
    let store = ground.store();
    let migrated = store.migrate().await.expect("a database of our own");
    assert!(migrated.applied.iter().any(|step| step.contains("sender")), "{migrated:?}");
    let id = PostId::new();
    ground.session().await.exec_drop(BEFORE, (id.to_string(),)).await.expect("it is stored");
    let stored = store.post(id).await.expect("the database answers").expect("it is stored");
    assert_eq!((stored.worker.as_str(), stored.sender), ("old", None));
    store.probe().await.expect("a test row like it suits the table");
}
