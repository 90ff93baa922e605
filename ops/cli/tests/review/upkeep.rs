//! What is rarer than a decision: withdrawals, appeals, erasure, measures, and cases that are missing.

use serde_json::json;
use sluice_core::post::Post;
use tokio::io::AsyncWriteExt as _;

use crate::desk::{Desk, shows};
use crate::support::{post, text};

#[tokio::test(flavor = "multi_thread")]
async fn an_appeal_is_judged_by_somebody_else_and_once() {
    let desk = Desk::new().await;
    let held = desk.held("a post", 60).await;
    let early = desk.review(&["appeal", &held.post, "--reason", "please", "--json"]).await.exits(3);
    assert_eq!(early.object()["refused"], "not_rejected");
    desk.decided(&held.case, "reject", "ann").await;
    let opened = desk.review(&["appeal", &held.post, "--reason", "it is a joke", "--json"]).await.ok().object();
    let appeal = text(&opened, "appeal");
    let again = desk.review(&["appeal", &held.post, "--reason", "it is a joke"]).await.exits(3);
    assert!(again.stderr.contains(&format!("case {appeal}")), "{again:?}");
    let same = desk.review(&["appeal", &held.post, "--reason", "x", "--id", &appeal, "--json"]).await.ok().object();
    assert_eq!(text(&same, "appeal"), appeal);
    let own = desk.review(&["decide", &appeal, "approve", "--as", "ann", "--lead"]).await.exits(3);
    assert!(own.stderr.contains("about your own decision"), "{own:?}");
    let page = desk.review(&["show", &held.post]).await.ok().stdout;
    assert!(page.contains("it is a joke") && page.contains("not by        ann"), "the open one is shown: {page}");
    desk.decided(&appeal, "reject", "bob").await;
    let last = desk.review(&["appeal", &held.post, "--reason", "please"]).await.exits(3);
    assert!(last.stderr.contains("final"), "{last:?}");
    let never = desk.held("another", 60).await;
    desk.review(&["decide", &never.case, "reject", "--as", "ann", "--appeals", "0s"]).await.ok();
    desk.review(&["appeal", &never.post, "--reason", "please"]).await.exits(3);
    desk.review(&["decide", &never.case, "reject", "--as", "ann", "--appeals", "1000y"]).await.exits(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_post_is_decided_by_nobody() {
    let desk = Desk::new().await;
    let held = desk.held("a post", 60).await;
    let token = text(&desk.review(&["next", "--as", "ann", "--json"]).await.ok().object(), "claim");
    let gone = desk.review(&["withdraw", &held.post, "--json"]).await.ok().object();
    assert_eq!(gone, json!({ "post": held.post, "withdrawn": 1 }));
    assert!(desk.review(&["withdraw", &held.case]).await.ok().stdout.contains("withdrawn before"));
    let late = desk.review(&["decide", &held.case, "approve", "--as", "ann", "--claim", &token]).await.exits(3);
    assert!(late.stderr.contains("gone at the forum: withdrawn at 20"), "{late:?}");
    assert_eq!(desk.count("withdrawn").await, 1);
    desk.review(&["withdraw", "ffffffff"]).await.exits(3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_to_be_forgotten_is_erased_after_a_question() {
    let desk = Desk::new().await;
    let held = desk.held("my address", 60).await;
    desk.review(&["forget", &held.post, "--reason", "a request"]).await.exits(2);
    desk.review(&["forget", &held.post, "--yes"]).await.exits(2);
    let mut asked = desk.on_a_terminal(&format!("review forget {} --reason 'a request' --as ann", held.post));
    let shown = shows(&mut asked, "[y/N] ").await;
    assert!(shown.contains("\"my address\" by bob") && shown.contains("for good?"), "{shown}");
    asked.stdin.as_mut().expect("it is piped").write_all(b"yes\n").await.expect("a key is pressed");
    assert!(desk.ground.finish(asked).await.ok().stdout.contains("are erased"));
    let shown = desk.review(&["show", &held.post, "--json"]).await.ok().object();
    assert_eq!((&shown["title"], &shown["content"], &shown["author"]), (&json!(""), &json!(""), &json!(null)));
    assert_eq!((&shown["forgotten"]["by"], &shown["forgotten"]["reason"]), (&json!("ann"), &json!("a request")));
    let nobody = post("never stored").id.to_string();
    let ran = desk.review(&["forget", &nobody, "--reason", "a request", "--yes"]).await.exits(3);
    assert!(ran.stderr.contains("no post with the id"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_are_measured_by_moderator_queue_and_category() {
    let desk = Desk::new().await;
    let none = desk.review(&["measures"]).await.ok();
    assert!(none.stdout.is_empty() && none.stderr.contains("nothing was decided since 20"), "{none:?}");
    let first = desk.held("one", 60).await;
    let second = desk.held_of(Post { author: None, ..post("two") }, "threat", 90).await;
    let undone = text(&desk.decided(&first.case, "reject", "ann").await, "decision");
    desk.decided(&second.case, "approve", "Ann").await;
    desk.review(&["undo", &undone, "--as", "ann"]).await.ok();
    let of = async |by: &[&str]| desk.review(&[&["measures", "--json"], by].concat()).await.ok().lines();
    let all = of(&[]).await;
    assert_eq!(
        (all.len(), &all[0]["of"], &all[0]["decisions"], &all[0]["undone"]),
        (1, &json!("all"), &json!(2), &json!(1))
    );
    let status = desk.ground.sluice(&["status", "--json"]).await.ok().object();
    let figure = |name: &str| all[0][format!("to_decision_{name}")].clone();
    let told = json!({ "decisions": 2, "p50": figure("p50"), "p90": figure("p90"), "p99": figure("p99") });
    assert_eq!(status["review"]["time_to_decision"], told);
    for (by, names) in [("moderator", ["Ann", "ann"]), ("queue", ["spam", "threat"]), ("category", ["spam", "threat"])]
    {
        let found: Vec<String> = of(&["--by", by]).await.iter().map(|line| text(line, "of")).collect();
        assert_eq!(found, names, "{by}");
    }
    let table = desk.review(&["measures", "--by", "moderator", "--since", "1h"]).await.ok().stdout;
    assert!(table.starts_with("OF   DECIDED  APPROVED") && table.contains("\nAnn "), "{table}");
    for wrong in [["--since", "yesterday"], ["--by", "author"]] {
        desk.review(&[&["measures"][..], &wrong].concat()).await.exits(2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_that_older_workers_did_not_open_are_opened_by_the_sweep_and_by_a_migration() {
    let desk = Desk::new().await;
    for title in ["one", "two"] {
        desk.store(&post(title), "spam", 60).await;
    }
    let migrated = desk.ground.sluice(&["migrate"]).await.ok().stdout;
    assert!(migrated.contains("opened 2 cases for held posts that had none"), "{migrated}");
    assert_eq!(desk.count("waiting").await, 2);
    desk.store(&post("three"), "spam", 60).await;
    assert_eq!(desk.review(&["sweep", "--json"]).await.ok().object(), json!({ "opened": 1 }));
    assert!(desk.review(&["sweep"]).await.ok().stdout.contains("every held post has its case"));
    assert!(!desk.ground.sluice(&["migrate"]).await.ok().stdout.contains("opened"));
}
