//! What people decided, as texts that the rules are held against.

use serde_json::json;

use crate::desk::Desk;

#[tokio::test(flavor = "multi_thread")]
async fn decided_posts_are_rows_that_rules_eval_accepts_and_counts_as_people_decided() {
    let desk = Desk::new().await;
    let none = desk.review(&["export"]).await.ok();
    assert!(none.stdout.is_empty() && none.stderr.contains("nothing was decided since"), "{none:?}");
    let mut cases = Vec::new();
    for number in 0..5 {
        cases.push(desk.held(&format!("post {number}"), 60).await.case);
    }
    desk.decided(&cases[0], "approve", "ann").await;
    desk.decided(&cases[1], "reject", "ann").await;
    let undone = desk.decided(&cases[2], "reject", "ann").await;
    desk.review(&["undo", undone["decision"].as_str().expect("an id"), "--as", "ann"]).await.ok();
    desk.review(&["decide", &cases[3], "reject", "--as", "ann", "--second-reviews", "100"]).await.ok();
    let rows = desk.review(&["export"]).await.ok();
    let lines = rows.lines();
    let of = |title: &str| lines.iter().find(|line| line["title"] == title);
    assert_eq!(lines.len(), 2, "neither what was undone nor what is reviewed blindly: {rows:?}");
    assert_eq!((&of("post 0").expect("a row")["expect"], &lines[0]["kind"]), (&json!("clean"), &json!("spam")));
    assert_eq!(of("post 1").expect("a row")["expect"], "flag");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("decided.ndjson");
    std::fs::write(&path, &rows.stdout).expect("it can be written");
    let eval = desk.ground.sluice(&["rules", "eval", "--json", path.to_str().expect("a path in UTF-8")]).await.ok();
    assert_eq!(eval.object()["rows"], 2, "{eval:?}");
}
