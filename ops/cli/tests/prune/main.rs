//! Old posts are deleted while workers go on: what goes, what stays, and what is known afterwards.

#[path = "../support/mod.rs"]
mod support;

#[allow(dead_code, reason = "it is shared with the tests of people's review")]
#[path = "../review/desk.rs"]
mod desk;

mod beside;
mod kept;

use std::io::Write as _;

use serde_json::{Value, json};
use sluice_core::post::{Post, PostId};
use support::{Ground, Ran, post};

/// Runs `sluice prune`.
async fn prune(ground: &Ground, args: &[&str]) -> Ran {
    ground.sluice(&[&["prune"], args].concat()).await
}

/// Makes all that is stored so many days older.
async fn age(ground: &Ground, days: u32) {
    ground.sql(&format!("UPDATE posts SET recorded_at = recorded_at - INTERVAL {days} DAY")).await;
}

/// Posts whose ids were made so many days ago.
fn posts(count: usize, days: u64) -> Vec<Post> {
    let at = std::time::SystemTime::now() - std::time::Duration::from_secs(days * 86_400);
    let since = at.duration_since(std::time::UNIX_EPOCH).expect("it is later than 1970");
    let made = |number: usize| {
        let at = uuid::Timestamp::from_unix(uuid::NoContext, since.as_secs(), 0);
        let id: PostId = uuid::Uuid::new_v7(at).to_string().parse().expect("an id");
        Post { id, ..post(&number.to_string()) }
    };
    (0..count).map(made).collect()
}

async fn count(ground: &Ground) -> u64 {
    ground.value("SELECT COUNT(*) FROM posts").await
}

#[tokio::test(flavor = "multi_thread")]
async fn old_posts_go_in_batches_whatever_their_ids_and_young_ones_stay() {
    let ground = Ground::new().await;
    let (old, young) = (posts(230, 500), posts(7, 0));
    let forum: PostId = "ffffffff-1111-4222-8333-444444444444".parse().expect("an id of version 4");
    ground.record(&old).await;
    ground.record(&[Post { id: forum, ..post("of the forum") }]).await;
    age(&ground, 450).await;
    ground.record(&young).await;
    let planned = prune(&ground, &["--older-than", "400d", "--plan", "--json"]).await.ok().object();
    assert_eq!((&planned["pruned"], &planned["prune"], count(&ground).await), (&json!(231), &Value::Null, 238));
    let none = prune(&ground, &["--older-than", "460d", "--yes", "--json"]).await.ok().object();
    assert_eq!((&none["pruned"], &none["complete"]), (&json!(0), &json!(true)));
    let done = prune(&ground, &["--older-than", "400d", "--yes", "--batch", "100", "--json"]).await.ok().object();
    assert_eq!((&done["pruned"], &done["complete"], count(&ground).await), (&json!(231), &json!(true), 7));
    let past = prune(&ground, &["--past", "--json"]).await.ok().lines();
    assert_eq!((past.len(), &past[0]["prune"], &past[0]["pruned"]), (2, &done["prune"], &json!(231)));
    let said = prune(&ground, &["--older-than", "400d", "--yes"]).await.ok().stdout;
    assert!(said.starts_with("0 posts deleted, stored before 20"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_range_of_younger_ids_is_not_read_and_is_read_once_it_is_old() {
    let ground = Ground::new().await;
    ground.record(&posts(3, 100)).await;
    age(&ground, 450).await;
    let first = prune(&ground, &["--older-than", "400d", "--yes", "--json"]).await.ok().object();
    assert_eq!((&first["looked_at"], &first["pruned"]), (&json!(0), &json!(0)), "their ids say that they are younger");
    let later = prune(&ground, &["--older-than", "90d", "--yes", "--json"]).await.ok().object();
    assert_eq!((&later["looked_at"], &later["pruned"]), (&json!(3), &json!(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn afterwards_verify_why_and_status_know_what_became_of_them() {
    let ground = Ground::new().await;
    let (old, young) = (posts(2, 500), posts(1, 0));
    ground.record(&old).await;
    age(&ground, 450).await;
    ground.record(&young).await;
    let mut receipts = tempfile::NamedTempFile::new().expect("a place for files");
    old.iter().chain(&young).for_each(|post| writeln!(receipts, "{}", post.id).expect("it can be written"));
    let done = prune(&ground, &["--older-than", "400d", "--yes", "--json"]).await.ok().object();
    let path = receipts.path().to_str().expect("a plain path");
    let verified = ground.sluice(&["verify", "--receipts", path, "--json"]).await.ok().object();
    assert_eq!((&verified["pruned"], &verified["recorded"], &verified["missing"]), (&json!(2), &json!(1), &json!(0)));
    let why = ground.sluice(&["why", &old[0].id.to_string(), "--json"]).await.ok().object();
    assert_eq!((&why["place"], &why["pruned"]["prune"]), (&json!("pruned"), &done["prune"]));
    let status = ground.sluice(&["status", "--json"]).await.ok().object();
    assert_eq!((&status["posts"]["total"], &status["posts"]["pruned"]), (&json!(1), &json!(2)));
    // Sent again, it is a new post; what is stored counts.
    ground.record(&old[..1]).await;
    let verified = ground.sluice(&["verify", "--receipts", path, "--json"]).await.ok().object();
    assert_eq!((&verified["pruned"], &verified["recorded"]), (&json!(1), &json!(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_wrongly_is_refused_before_anything_is_deleted() {
    let ground = Ground::new().await;
    ground.record(&posts(1, 500)).await;
    age(&ground, 450).await;
    for wrong in [
        &["--yes"][..],
        &["--older-than", "23h", "--yes"],
        &["--older-than", "400", "--yes"],
        &["--older-than", "400d", "--yes", "--verdict", "bad"],
        &["--older-than", "400d", "--yes", "--batch", "0"],
        &["--older-than", "400d", "--past"],
        &["--older-than", "400d"],
    ] {
        prune(&ground, wrong).await.exits(2);
    }
    let said = prune(&ground, &["--older-than", "23h", "--yes"]).await.stderr;
    assert!(said.contains("use 1d or more"), "{said}");
    assert_eq!(count(&ground).await, 1);
}
