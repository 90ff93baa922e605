//! The rules change between a post's first delivery and its next one: the row's verdict counts.

use std::os::unix::process::ExitStatusExt as _;

use crate::stage::{HELD, Stage};
use crate::support::stored;

/// A worker that stores one post with these rules and dies before it acknowledges it.
async fn dies_at(stage: &Stage, point: &str) {
    let mut doomed = stage.start(&format!("{point}=return"), &["--concurrency", "1"]);
    assert_eq!(doomed.ended().await.signal(), Some(9), "{}", doomed.said());
}

#[tokio::test]
async fn a_row_that_says_held_gets_one_case_though_todays_rules_would_approve() {
    for point in ["case", "committed"] {
        let stage = Stage::new().await;
        let posts = stage.held(1);
        stage.ground.publish(&posts).await;
        dies_at(&stage, point).await;
        stage.hold("nothing of the kind");
        stage.drained(stage.worker(&[]).await).await;
        assert_eq!(stored(&stage.ground, posts[0].id).await.verdict, "held");
        assert_eq!(stage.accounted(&posts).await, 1, "{point}");
    }
}

#[tokio::test]
async fn a_row_that_says_approved_gets_none_though_todays_rules_would_hold() {
    let stage = Stage::new().await;
    stage.hold("nothing of the kind");
    let posts = stage.held(1);
    stage.ground.publish(&posts).await;
    dies_at(&stage, "committed").await;
    stage.hold(HELD);
    stage.drained(stage.worker(&[]).await).await;
    assert_eq!(stored(&stage.ground, posts[0].id).await.verdict, "approved");
    assert_eq!(stage.accounted(&posts).await, 0);
}

#[tokio::test]
async fn a_post_that_comes_back_after_it_was_decided_stays_decided() {
    let stage = Stage::new().await;
    let posts = stage.held(1);
    stage.ground.publish(&posts).await;
    stage.drained(stage.worker(&[]).await).await;
    stage.approve(&posts[0]).await;
    stage.ground.publish(&posts).await;
    stage.drained(stage.worker(&[]).await).await;
    assert_eq!(stage.accounted(&posts).await, 1);
    stage.is_approved(&posts[0]).await;
}
