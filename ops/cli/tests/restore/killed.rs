//! Drops and restores that are killed between two steps, and done again.

use serde_json::{Value, json};

use super::support::{Dead, Ground, ids};
use super::{DROP_ALL, RESTORE_ALL, outcomes, verified};

#[tokio::test(flavor = "multi_thread")]
async fn a_drop_that_is_killed_leaves_each_dead_letter_once_however_it_goes_on() {
    let ground = Ground::new().await;
    let dead = Dead::some(6);
    ground.dead(&dead).await;
    let before = ground.exported().await;
    // Six are in the audit log, at most two of them were acknowledged: an answer may still have been on its way.
    ground.killed_at("drop_recorded=2*off->return", &DROP_ALL).await;
    ground.until_dead(4).await;
    let left = ground.listed().await.len();
    assert_eq!((outcomes(&ground, "dropped").await, (4..=6).contains(&left)), (6, true), "{left} are left");
    let account = verified(&ground, &dead, 0).await;
    assert_eq!((&account["dead"], &account["dropped"]), (&json!(left), &json!(6 - left)));

    let ran = ground.sluice(&RESTORE_ALL).await.ok();
    assert!(ran.stdout.starts_with(&format!("{} restored, {left} skipped", 6 - left)), "{ran:?}");
    assert_eq!(ground.exported().await, before);
    let account = verified(&ground, &dead, 0).await;
    assert_eq!((&account["dead"], &account["dropped"], &account["duplicate"]), (&json!(6), &json!(0), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drop_that_is_killed_and_done_again_is_undone_to_one_dead_letter_each() {
    let ground = Ground::new().await;
    ground.dead(&Dead::some(3)).await;
    // Dead letters that nothing tells apart are dead letters all the same.
    for _ in 0..3 {
        ground.foreign(b"garbage", None).await;
    }
    ground.until_dead(6).await;
    let before = ground.exported().await;
    ground.killed_at("drop_recorded=4*off->return", &DROP_ALL).await;
    ground.until_dead(2).await;
    ground.sluice(&DROP_ALL).await.ok();
    assert_eq!(ground.dead_letters().await, 0);
    assert!(outcomes(&ground, "dropped").await >= 8, "some are in the audit log twice");
    let listed = ground.sluice(&["dlq", "dropped"]).await.ok();
    assert!(listed.stdout.contains("(3 ×)") && listed.stderr.contains("6 of 6"), "{listed:?}");
    ground.sluice(&RESTORE_ALL).await.ok();
    assert_eq!(ground.exported().await, before);
    ground.sluice(&RESTORE_ALL).await.ok();
    assert_eq!(ground.dead_letters().await, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_drop_left_in_the_queue_and_somebody_acted_on_is_not_brought_back_beside_it() {
    let ground = Ground::new().await;
    let dead = Dead::some(4);
    ground.dead(&dead).await;
    let all = ids(&dead);
    ground.killed_at("drop_recorded=1*off->return", &DROP_ALL).await;
    ground.until_dead(3).await;
    ground.sluice(&["dlq", "replay", &all[1], "--yes"]).await.ok();
    ground.sluice(&["dlq", "edit", &all[2], "--patch", r#"{"title":"fixed"}"#]).await.ok();
    ground.sluice(&["dlq", "drop", &all[3], "--forever", "--yes"]).await.ok();
    let ran = ground.sluice(&["dlq", "restore", &all[1], &all[2], &all[3]]).await.exits(1);
    for told in ["it was replayed", "it was edited", "it was destroyed"] {
        assert!(ran.stderr.contains(told), "{told} in {ran:?}");
    }
    ground.sluice(&RESTORE_ALL).await.ok();
    let (mut listed, mut expected) = (ground.listed().await, [all[0].clone(), all[2].clone()]);
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
    let account = verified(&ground, &dead, 0).await;
    let counts = ["dead", "queued", "dropped", "duplicate"].map(|key| account[key].clone());
    assert_eq!(counts, [2, 1, 1, 0].map(Value::from));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_is_done_again_without_a_second_copy() {
    let ground = Ground::new().await;
    let dead = Dead::some(5);
    ground.dead(&dead).await;
    ground.foreign(b"garbage", None).await;
    ground.until_dead(6).await;
    let before = ground.exported().await;
    ground.sluice(&DROP_ALL).await.ok();
    ground.killed_at("restore_confirmed=return", &RESTORE_ALL).await;
    ground.until_dead(6).await;
    assert_eq!(outcomes(&ground, "restored").await, 0);
    assert_eq!(verified(&ground, &dead, 0).await["dead"], 5);
    let ran = ground.sluice(&[&RESTORE_ALL[..], &["--json"]].concat()).await.ok();
    assert!(ran.lines().iter().all(|line| line["outcome"] == "present"), "{ran:?}");
    assert_eq!(ground.exported().await, before);
    assert!(ground.sluice(&["dlq", "dropped"]).await.ok().stderr.contains("0 of 0"));
}
