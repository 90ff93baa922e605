//! Decisions: made, repeated, refused and undone.

use serde_json::json;
use uuid::Uuid;

use crate::desk::Desk;
use crate::support::text;

const POLICIES: &str = "[[policy]]\nid = \"ads\"\ntitle = \"Ads\"\nmessage = \"No ads.\"\ncategories = [\"spam\"]\n\
                        [[policy]]\nid = \"rude\"\ntitle = \"Rude\"\nmessage = \"Be kind.\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_prints_four_keys_and_repeated_with_its_id_the_same() {
    let desk = Desk::new().await;
    let held = desk.held("a post", 60).await;
    let id = Uuid::now_v7().to_string();
    let args = ["decide", &held.case, "reject", "--as", "ann", "--note", "an ad", "--decision", &id, "--json"];
    let decided = desk.review(&args).await.ok().object();
    assert_eq!(decided, json!({ "decision": id, "post": held.post, "revision": 1, "verdict": "rejected" }));
    assert_eq!(desk.review(&args).await.ok().object(), decided);
    let other = desk.review(&["decide", &held.case, "approve", "--as", "ann", "--decision", &id]).await.exits(2);
    assert!(other.stderr.contains("another decision's"), "{other:?}");
    assert_eq!((desk.state(&held.case).await, desk.count("decided").await), ("decided".to_owned(), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_late_is_told_who_when_and_what() {
    let desk = Desk::new().await;
    let held = desk.held("a post", 60).await;
    let token = text(&desk.review(&["next", "--as", "ann", "--json"]).await.ok().object(), "claim");
    let late = desk.review(&["decide", &held.case, "approve", "--as", "bob", "--json"]).await.exits(3);
    let (object, said) = (late.object(), &late.stderr);
    assert_eq!((&object["refused"], &object["by"]), (&json!("claimed"), &json!("ann")));
    assert!(said.contains("ann has claimed it, until 20") && !format!("{late:?}").contains(&token), "{late:?}");
    let args = ["decide", &held.case, "reject", "--as", "ann", "--claim", &token, "--expected", "1"];
    let ran = desk.review(&args).await.exits(3);
    assert!(ran.stderr.contains("revision 0"), "{ran:?}");
    let args = ["decide", &held.case, "reject", "--as", "ann", "--claim", &token, "--expected", "0"];
    let decided = desk.review(&args).await.ok().stdout;
    assert!(decided.contains("is rejected (decision "), "{decided}");
    let late = desk.review(&["decide", &held.post, "approve", "--as", "bob", "--json"]).await.exits(3);
    assert!(late.stderr.contains("ann decided it at 20") && late.stderr.contains(": rejected (decision "), "{late:?}");
    assert_eq!(late.object()["verdict"], "rejected");
    let wrong = Uuid::now_v7().to_string();
    let ran = desk.review(&["decide", &Uuid::now_v7().to_string(), "approve", "--as", "x", "--claim", &wrong]).await;
    assert!(ran.exits(3).stderr.contains("`sluice review list` has them"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_whose_time_is_over_counts_until_somebody_else_has_claimed() {
    let desk = Desk::new().await;
    let held = desk.held("a post", 60).await;
    let claim = async |name: &str| text(&desk.review(&["next", "--as", name, "--json"]).await.ok().object(), "claim");
    let (first, _) = (claim("ann").await, desk.let_claims_lapse().await);
    let (second, _) = (claim("bob").await, desk.let_claims_lapse().await);
    let ran = desk.review(&["decide", &held.case, "reject", "--as", "ann", "--claim", &first]).await.exits(3);
    assert!(ran.stderr.contains("bob has claimed it, after you"), "{ran:?}");
    desk.review(&["decide", &held.case, "reject", "--as", "bob", "--claim", &second]).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_without_its_reason_is_wrong_usage_that_names_the_policies() {
    let desk = Desk::new().await;
    let held = desk.held("a post", 60).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("policies.toml");
    std::fs::write(&file, POLICIES).expect("it can be written");
    let file = file.to_str().expect("a path in UTF-8");
    let decide = async |more: &[&str]| {
        let args = [&["review", "decide", &held.case, "reject", "--as", "ann"], more].concat();
        let child = desk.ground.command(&args).env("SLUICE_POLICIES", file).spawn().expect("the program was built");
        desk.ground.finish(child).await
    };
    for wrong in [&[][..], &["--policy", "none"], &["--policies", "/nowhere"]] {
        let ran = decide(wrong).await.exits(2);
        assert!(ran.stderr.contains("ads, rude") || ran.stderr.contains("/nowhere"), "{ran:?}");
    }
    assert_eq!(desk.state(&held.case).await, "waiting");
    let decided = decide(&["--policy", "ads", "--policy", "rude", "--json"]).await.ok().object();
    assert_eq!(decided["verdict"], "rejected");
    let shown = desk.review(&["show", &held.case, "--json"]).await.ok().object();
    let decision = &shown["decisions"][0];
    assert_eq!((&decision["policies"], &decision["message"]), (&json!(["ads", "rude"]), &json!("No ads.\n\nBe kind.")));
    let listed = desk.review(&["policies", "--policies", file, "--json"]).await.ok().lines();
    assert_eq!((listed.len(), &listed[0]["id"], &listed[0]["categories"]), (2, &json!("ads"), &json!(["spam"])));
    assert!(desk.review(&["policies", "--policies", file]).await.ok().stdout.contains("Be kind."));
    let none = desk.review(&["policies"]).await.ok();
    assert!(none.stdout.is_empty() && none.stderr.contains("SLUICE_POLICIES"), "{none:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_texts_are_bounded() {
    let desk = Desk::new().await;
    let case = desk.held("a post", 60).await.case;
    let (long_name, long) = ("x".repeat(101), "x".repeat(2001));
    for name in ["", " ", "a\u{7}b", "a\nb", &long_name] {
        let ran = desk.review(&["decide", &case, "approve", "--as", name]).await.exits(2);
        assert!(ran.stderr.contains("1 to 100 characters"), "{ran:?}");
    }
    for flag in ["--message", "--note"] {
        let ran = desk.review(&["decide", &case, "approve", "--as", "ann", flag, &long]).await.exits(2);
        assert!(ran.stderr.contains("at most 2000 characters"), "{ran:?}");
    }
    desk.review(&["note", &case, &long, "--as", "ann"]).await.exits(2);
    desk.review(&["decide", &case, "maybe", "--as", "ann"]).await.exits(2);
    desk.review(&["decide", &case, "approve"]).await.exits(2);
    desk.review(&["decide", &case, "approve", "--as", "ann", "--claim", "token"]).await.exits(2);
    let text = "终".repeat(2000);
    desk.review(&["decide", &case, "approve", "--as", &"é".repeat(100), "--message", &text]).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_gives_the_case_back_to_whoever_undid_and_only_they_or_a_lead_may() {
    let desk = Desk::new().await;
    let held = desk.held("a post", 60).await;
    let decision = text(&desk.decided(&held.case, "reject", "ann").await, "decision");
    let ran = desk.review(&["undo", &decision, "--as", "bob", "--json"]).await.exits(3);
    assert!(ran.object()["refused"] == "not_yours" && ran.stderr.contains("only they, or a lead"), "{ran:?}");
    let id = Uuid::now_v7().to_string();
    let args = ["undo", &decision, "--as", "lea", "--lead", "--id", &id, "--note", "too strict", "--json"];
    let undone = desk.review(&args).await.ok().object();
    assert_eq!(
        (&undone["revision"], &undone["verdict"], &undone["undoes"]),
        (&json!(2), &json!("held"), &json!(decision))
    );
    assert_eq!(desk.review(&args).await.ok().object(), undone, "repeated with its id, it is the same");
    let ran = desk.review(&["undo", &decision, "--as", "lea", "--lead"]).await.exits(3);
    assert!(ran.stderr.contains("at revision 2, not"), "{ran:?}");
    let ran = desk.review(&["undo", &id, "--as", "lea", "--lead"]).await.exits(3);
    assert!(ran.stderr.contains("undoes another decision itself"), "{ran:?}");
    let claim = text(&undone, "claim");
    desk.review(&["decide", &held.case, "approve", "--as", "lea", "--lead", "--claim", &claim]).await.ok();
    let unknown = desk.review(&["undo", &Uuid::now_v7().to_string(), "--as", "ann"]).await.exits(3);
    assert!(unknown.stderr.contains("there is no decision"), "{unknown:?}");
    desk.review(&["undo", "nonsense", "--as", "ann"]).await.exits(2);
}
