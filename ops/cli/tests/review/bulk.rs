//! One decision for each post with the same text.

use std::os::unix::process::ExitStatusExt as _;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

use crate::desk::{Desk, shows};
use crate::support::text;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_twins_are_shown_asked_about_and_decided_and_one_that_comes_meanwhile_is_not() {
    let desk = Desk::new().await;
    let twins = desk.twins(50).await;
    let stranger = desk.held("another text", 60).await;
    let claimed = desk.review(&["next", "--as", "bob", "--json"]).await.ok().object();
    assert_eq!(text(&claimed, "case"), twins[0].case);
    let mut asked = desk.on_a_terminal(&format!("review bulk {} reject --as ann", twins[7].case));
    let shown = shows(&mut asked, "[y/N] ").await;
    assert!(shown.contains("49 posts with this text wait, to be rejected"), "{shown}");
    assert!(shown.contains("\"the same\" by bob, opened") && shown.contains("… and 46 more"), "{shown}");
    let late = desk.held("the same", 60).await;
    asked.stdin.as_mut().expect("it is piped").write_all(b"y\n").await.expect("a key is pressed");
    let told = desk.ground.finish(asked).await.ok().stdout;
    assert!(told.contains("49 posts are rejected; `sluice review bulk --undo "), "{told}");
    assert_eq!((desk.count("decided").await, desk.count("claimed").await), (49, 1));
    for case in [&late.case, &stranger.case] {
        assert_eq!(desk.state(case).await, "waiting");
    }
    let mut asked = desk.on_a_terminal(&format!("review bulk {} reject --as ann", late.case));
    shows(&mut asked, "[y/N] ").await;
    asked.stdin.as_mut().expect("it is piped").write_all(b"n\n").await.expect("a key is pressed");
    assert!(desk.ground.finish(asked).await.exits(1).stdout.contains("nothing was done"));
    let mut asked = desk.on_a_terminal(&format!("review bulk {} reject --as ann", late.case));
    shows(&mut asked, "[y/N] ").await;
    asked.stdin.as_mut().expect("it is piped").write_all(b"\x03").await.expect("Ctrl-C is pressed");
    assert!(desk.ground.finish(asked).await.exits(130).stdout.contains("interrupted; nothing was done"));
    assert_eq!(desk.state(&late.case).await, "waiting");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_is_undone_as_a_whole_and_what_has_gone_on_is_named() {
    let desk = Desk::new().await;
    let twins = desk.twins(4).await;
    let case = twins[0].case.as_str();
    desk.review(&["bulk", case, "approve", "--as", "ann"]).await.exits(2);
    desk.review(&["bulk", "--as", "ann", "--yes"]).await.exits(2);
    let dry = desk.review(&["bulk", case, "approve", "--as", "ann", "--dry-run"]).await.ok();
    assert!(dry.stderr.contains("4 posts with this text wait") && dry.stdout.is_empty(), "{dry:?}");
    let items = desk.review(&["bulk", case, "approve", "--as", "ann", "--yes", "--json"]).await.ok().lines();
    let acts: Vec<String> = items.iter().map(|item| text(item, "act")).collect();
    assert!(acts.len() == 4 && acts.iter().all(|act| *act == acts[0]), "{items:?}");
    assert_eq!((&items[0]["outcome"], &items[0]["verdict"]), (&json!("decided"), &json!("approved")));
    let none = desk.review(&["bulk", case, "approve", "--as", "ann", "--yes"]).await.exits(3);
    assert!(none.stderr.contains("no case with the text"), "{none:?}");

    let first = text(&items[0], "decision");
    desk.review(&["undo", &first, "--as", "ann"]).await.ok();
    let bob = desk.review(&["bulk", "--undo", &acts[0], "--as", "bob", "--yes"]).await.exits(3);
    assert!(bob.stderr.contains("only they, or a lead"), "{bob:?}");
    let undone = desk.review(&["bulk", "--undo", &acts[0], "--as", "ann", "--yes", "--json"]).await.exits(3);
    let outcomes: Vec<Value> = undone.lines().iter().map(|item| item["outcome"].clone()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == json!("undone")).count(), 3, "{undone:?}");
    assert!(undone.stderr.contains("at revision 2, not"), "{undone:?}");
    assert_eq!(
        (desk.count("waiting").await, desk.count("claimed").await),
        (3, 1),
        "hundreds of cases are kept by nobody"
    );
    let unknown = Uuid::now_v7().to_string();
    desk.review(&["bulk", "--undo", &unknown, "--as", "ann", "--yes"]).await.exits(3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_that_is_killed_in_the_middle_goes_on_under_its_id_and_is_undone_as_one() {
    let desk = Desk::new().await;
    let twins = desk.twins(10).await;
    let act = Uuid::now_v7().to_string();
    let args = ["review", "bulk", &twins[0].case, "reject", "--as", "ann", "--yes", "--act", &act];
    let killed = desk.ground.command(&args).env("FAILPOINTS", "bulk_decided=3*off->return").output().await;
    let killed = killed.expect("the program was built");
    // Without --all-features there is no such point, and it lives.
    assert_eq!(killed.status.signal(), Some(9), "{killed:?}");
    assert!(String::from_utf8_lossy(&killed.stderr).contains(&act), "its id is said before anything is decided");
    assert_eq!((desk.count("decided").await, desk.count("waiting").await), (4, 6));
    // The first case is decided by now: any of them names the text.
    desk.ground.sluice(&args).await.ok();
    assert_eq!(desk.count("decided").await, 10);
    let complete = desk.ground.sluice(&args).await.ok();
    assert!(complete.stderr.contains("is complete"), "{complete:?}");
    let of_act: u64 = desk.ground.value(&format!("SELECT COUNT(*) FROM review_decisions WHERE act = '{act}'")).await;
    let events: u64 = desk.ground.value("SELECT COUNT(*) FROM decision_outbox WHERE revision = 1").await;
    assert_eq!((of_act, events), (10, 10));
    let undo = ["review", "bulk", "--undo", &act, "--as", "ann", "--yes"];
    let killed = desk.ground.command(&undo).env("FAILPOINTS", "bulk_decided=2*off->return").output().await;
    assert_eq!(killed.expect("the program was built").status.signal(), Some(9));
    desk.ground.sluice(&undo).await.ok();
    let decisions: u64 = desk.ground.value("SELECT COUNT(*) FROM review_decisions").await;
    assert_eq!((decisions, desk.count("waiting").await), (20, 10), "one undo each");
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_claim_is_a_part_of_the_act_and_an_appeal_is_not() {
    let desk = Desk::new().await;
    let twins = desk.twins(3).await;
    let mine = text(&desk.review(&["next", "--as", "ann", "--json"]).await.ok().object(), "case");
    let items = desk.review(&["bulk", &mine, "reject", "--as", "ann", "--yes", "--json"]).await.ok().lines();
    assert_eq!(items.len(), 3);
    let appeal = desk.review(&["appeal", &twins[0].post, "--reason", "it was a joke", "--json"]).await.ok().object();
    let appeal = text(&appeal, "appeal");
    let ran = desk.review(&["bulk", &appeal, "approve", "--as", "bob", "--yes"]).await.exits(2);
    assert!(ran.stderr.contains("an appeal or a second review"), "{ran:?}");
    let late = desk.held("the same", 60).await;
    let items = desk.review(&["bulk", &late.case, "reject", "--as", "bob", "--yes", "--json"]).await.ok().lines();
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(desk.state(&appeal).await, "waiting");
}
