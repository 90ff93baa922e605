//! What an answer makes of a post, and who is asked about at all.

use crate::server::{MODEL, Manner, Server};
use crate::stage::{KEY, Stage};

#[tokio::test]
async fn a_post_near_the_threshold_is_held_when_it_is_flagged_and_approved_when_not() {
    let server = Server::start(Manner::Right).await;
    let stage = Stage::new(&server.url(), &[]).await;
    let flagged = stage.report("doubtful and flagrant").await;
    assert_eq!(flagged.outcome(), ("held", "reviewer_flagged"));
    let reason = &flagged.reasons[0];
    assert_eq!((reason.category.as_str(), reason.text.as_str()), ("harassment", "score 0.930"));
    assert_eq!((reason.matched.as_str(), reason.field.as_str()), (MODEL, "post"));
    let cleared = stage.report("doubtful and harmless").await;
    assert_eq!(cleared.row.verdict, "approved");
    let rules: Vec<_> = cleared.reasons.iter().map(|reason| reason.rule.as_str()).collect();
    assert_eq!(rules, ["doubt", "reviewer_cleared"], "the row says that it was asked");
}

#[tokio::test]
async fn it_is_asked_in_the_form_of_the_moderation_endpoint_and_the_key_is_in_no_log_and_no_row() {
    let server = Server::start(Manner::Right).await;
    let mut stage = Stage::new(&server.url(), &["--reviewer-trip", "1"]).await;
    let mut rows = vec![stage.report("doubtful").await];
    server.behaves(Manner::Says(401, format!("the key {KEY} is wrong")));
    rows.push(stage.report("doubtful again").await);
    let asked = &server.asked()[0];
    assert_eq!(asked.path, "/v1/moderations");
    assert_eq!(asked.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(asked.headers["content-type"], "application/json");
    assert_eq!(asked.body["model"], MODEL);
    assert_eq!(asked.body["input"], "doubtful\n\nA text about nothing in particular.");
    assert_eq!(rows[1].outcome(), ("held", "reviewer_status_401"));
    stage.worker.says("not asked for now", 1).await;
    assert!(stage.worker.stop().await.success());
    assert!(!stage.worker.said().contains(KEY), "even at RUST_LOG=trace");
    assert!(!format!("{rows:?}").contains(KEY));
}

#[tokio::test]
async fn nobody_is_asked_where_the_rules_leave_no_doubt() {
    let server = Server::start(Manner::Right).await;
    let stage = Stage::new(&server.url(), &[]).await;
    assert_eq!(stage.report("clean but flagrant").await.outcome(), ("approved", ""));
    assert_eq!(stage.report("forbidden and flagrant").await.outcome(), ("rejected", "bad"));
    assert_eq!(server.asked().len(), 0);
    let always = Stage::new(&server.url(), &["--reviewer-ask", "always"]).await;
    assert_eq!(always.report("clean but flagrant").await.outcome(), ("held", "reviewer_flagged"));
    assert_eq!(always.report("forbidden and flagrant").await.outcome(), ("rejected", "bad"));
    assert_eq!((server.asked_about("clean"), server.asked_about("forbidden")), (1, 0));
}

#[tokio::test]
async fn what_the_rules_hold_is_released_or_rejected_only_where_that_is_set() {
    let server = Server::start(Manner::Right).await;
    let strict = Stage::new(&server.url(), &["--reviewer-ask", "held"]).await;
    assert_eq!(strict.report("suspicious and harmless").await.row.verdict, "held");
    assert_eq!(strict.report("suspicious and flagrant").await.row.verdict, "held");
    assert_eq!(strict.report("doubtful and flagrant").await.row.verdict, "approved", "it is not asked about these");
    let args = ["--reviewer-release", "true", "--reviewer-reject", "0.9"];
    let trusting = Stage::new(&server.url(), &args).await;
    assert_eq!(trusting.report("suspicious and harmless").await.row.verdict, "approved");
    assert_eq!(trusting.report("suspicious and flagrant").await.outcome(), ("rejected", "reviewer_flagged"));
}
