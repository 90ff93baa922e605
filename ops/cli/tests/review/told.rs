//! What the other commands tell of cases and decisions: `why`, `status` and `verify`.

use serde_json::{Value, json};

use crate::desk::Desk;
use crate::support::{post, text};

#[tokio::test(flavor = "multi_thread")]
async fn why_tells_the_case_the_claim_the_decision_the_undo_the_appeal_and_what_stands() {
    let desk = Desk::new().await;
    let held = desk.held("a post", 60).await;
    desk.review(&["next", "--as", "ann"]).await.ok();
    let decision = text(&desk.decided(&held.case, "approve", "ann").await, "decision");
    desk.review(&["undo", &decision, "--as", "ann"]).await.ok();
    desk.decided(&held.case, "reject", "ann").await;
    let appeal = desk.review(&["appeal", &held.post, "--reason", "a joke", "--json"]).await.ok().object();
    let story = desk.ground.sluice(&["why", &held.post, "--json"]).await.ok().object();
    let events = story["events"].as_array().expect("events");
    let happened: Vec<&str> = events.iter().filter_map(|event| event["what"].as_str()).collect();
    for what in ["case opened", "claimed", "decided", "undone", "appealed"] {
        assert!(happened.contains(&what), "{what} in {happened:?}");
    }
    assert_eq!(
        (story["cases"].as_array().map(Vec::len), story["decisions"].as_array().map(Vec::len)),
        (Some(2), Some(3))
    );
    assert_eq!((&story["cases"][0]["case"], &story["claims"][0]["by"]), (&json!(held.case), &json!("ann")));
    let now = text(&story, "now");
    assert!(now.contains("rejected by ann since 20") && now.contains(&text(&appeal, "appeal")), "{now}");
    let page = desk.ground.sluice(&["why", &held.post]).await.ok().stdout;
    assert!(page.contains("  appealed       case ") && page.contains(": a joke"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn status_counts_what_waits_for_people_only_where_anything_does() {
    let desk = Desk::new().await;
    let status = async || desk.ground.sluice(&["status", "--no-look", "--json"]).await.ok().object();
    assert_eq!(status().await["review"]["waiting"], 0);
    assert!(!desk.ground.sluice(&["status", "--no-look"]).await.ok().stdout.contains("review  "));
    let held = desk.held("a post", 60).await;
    desk.held("another", 60).await;
    desk.review(&["next", "--as", "ann"]).await.ok();
    let review: Value = status().await["review"].clone();
    assert_eq!((&review["waiting"], &review["claimed"], &review["unnumbered"]), (&json!(1), &json!(1), &json!(2)));
    assert!(review["oldest"].as_str().is_some_and(|at| at.starts_with("20")), "{review}");
    let page = desk.ground.sluice(&["status", "--no-look"]).await.ok().stdout;
    assert!(page.contains("review        1 case waiting, 0 escalated, 1 claimed; the oldest was opened"), "{page}");
    let nowhere = ["status", "--no-look", "--json", "--database-url", "mysql://root@127.0.0.1:1/none"];
    let down = desk.ground.sluice(&nowhere).await.exits(1).object();
    assert_eq!((&down["review"], down["unreachable"].as_array().map(Vec::len)), (&json!(null), Some(1)));
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_is_not_whole_while_a_held_post_has_no_case_or_a_decision_no_event() {
    let desk = Desk::new().await;
    let held = desk.held("a post", 60).await;
    let without = post("older");
    desk.store(&without, "spam", 60).await;
    let folder = tempfile::tempdir().expect("a folder");
    let receipts = folder.path().join("receipts");
    std::fs::write(&receipts, format!("{}\n{}\n", held.post, without.id)).expect("it can be written");
    let receipts = receipts.to_str().expect("a path in UTF-8");
    let verify = async |more: &[&str]| {
        let args = [&["verify", "--receipts", receipts, "--settle", "0s"], more].concat();
        desk.ground.sluice(&args).await
    };
    let report = verify(&["--json"]).await.exits(1).object();
    assert_eq!((&report["recorded"], &report["held_without_case"]), (&json!(2), &json!(1)));
    assert_eq!(report["held_without_case_ids"], json!([without.id.to_string()]));
    let page = verify(&[]).await.exits(1).stdout;
    assert!(page.contains("held and without a case") && page.contains("`sluice review sweep`"), "{page}");
    desk.review(&["sweep"]).await.ok();
    let page = verify(&[]).await.ok().stdout;
    assert!(page.contains("every accepted post is accounted for"), "{page}");
    desk.decided(&held.case, "approve", "ann").await;
    verify(&[]).await.ok();
    desk.ground.sql("DELETE FROM decision_outbox WHERE revision = 1").await;
    let report = verify(&["--json"]).await.exits(1).object();
    assert_eq!((&report["decisions_not_in_outbox"], &report["held_without_case"]), (&json!(1), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_its_worker_opens_a_moment_after_the_row_is_not_missed() {
    let desk = Desk::new().await;
    let late = post("late");
    desk.store(&late, "spam", 60).await;
    let folder = tempfile::tempdir().expect("a folder");
    let receipts = folder.path().join("receipts");
    std::fs::write(&receipts, format!("{}\n", late.id)).expect("it can be written");
    let args = ["verify", "--receipts", receipts.to_str().expect("a path in UTF-8"), "--settle", "60s"];
    let child = desk.ground.start(&args);
    // It cannot end well before there is a case.
    desk.open(late.id).await;
    let page = desk.ground.finish(child).await.ok().stdout;
    assert!(page.contains("every accepted post is accounted for"), "{page}");
}
