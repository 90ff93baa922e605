//! Deliveries: at least once, in order per post, under leases.

use std::time::Duration;

use sluice_mysql::review::{Failed, Ruling};
use uuid::Uuid;

use super::ground::{Desk, moderator};

const LEASE: Duration = Duration::from_secs(30);

/// An endpoint, and two posts with two events each in the feed.
async fn two_posts() -> Desk {
    let desk = Desk::new().await;
    desk.store.add_endpoint("forum").await.expect("the database answers");
    for _ in 0..2 {
        let case = desk.held(10).await;
        desk.decide(case.case, Ruling::Approve, moderator("ann", None)).await.expect("it was free");
    }
    while desk.store.number_events(time::Duration::ZERO).await.expect("the database answers") > 0 {}
    assert_eq!(desk.store.enqueue_deliveries("forum").await.expect("the database answers"), 4);
    assert_eq!(desk.store.enqueue_deliveries("forum").await.expect("the database answers"), 0);
    desk
}

#[tokio::test]
async fn of_each_post_the_first_event_is_sent_first_and_two_senders_share_the_work() {
    let desk = two_posts().await;
    let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
    let due = async |owner, limit| {
        desk.store.due_deliveries("forum", owner, limit, LEASE).await.expect("the database answers")
    };
    let mine = due(one, 1).await;
    let theirs = due(other, 10).await;
    assert_eq!((mine.len(), theirs.len()), (1, 1));
    assert_ne!(mine[0].decision, theirs[0].decision);
    assert!(due(one, 10).await.is_empty());
    desk.store.delivered("forum", mine[0].decision, Some(204)).await.expect("the database answers");
    let next = due(one, 10).await;
    assert_eq!(next.len(), 1);
    assert!(next[0].seq > mine[0].seq);
}

#[tokio::test]
async fn a_sender_that_is_gone_is_replaced_after_its_lease_and_its_word_about_a_failure_counts_no_more() {
    let desk = two_posts().await;
    let (gone, other) = (Uuid::now_v7(), Uuid::now_v7());
    let taken = desk.store.due_deliveries("forum", gone, 1, LEASE).await.expect("the database answers");
    desk.ground
        .sql("UPDATE decision_deliveries SET lease_until = NOW(6) - INTERVAL 1 SECOND WHERE lease IS NOT NULL")
        .await;
    let again = desk.store.due_deliveries("forum", other, 10, LEASE).await.expect("the database answers");
    assert!(again.iter().any(|delivery| delivery.decision == taken[0].decision));
    let failed = Failed { status: Some(500), error: "it said no", again_in: Duration::from_secs(3600) };
    desk.store.delivery_failed("forum", taken[0].decision, gone, &failed).await.expect("the database answers");
    desk.store.delivered("forum", taken[0].decision, Some(200)).await.expect("the database answers");
    let status = desk.store.endpoint_statuses().await.expect("the database answers").remove(0);
    assert_eq!((status.delivered, status.undelivered, status.failing), (1, 3, 0));
}

#[tokio::test]
async fn what_failed_comes_again_after_its_wait_and_can_be_sent_once_more() {
    let desk = two_posts().await;
    let owner = Uuid::now_v7();
    let due = async || desk.store.due_deliveries("forum", owner, 1, LEASE).await.expect("the database answers");
    let first = due().await.remove(0);
    let failed = Failed { status: None, error: "nobody answers", again_in: Duration::ZERO };
    desk.store.delivery_failed("forum", first.decision, owner, &failed).await.expect("the database answers");
    let status = desk.store.endpoint_statuses().await.expect("the database answers").remove(0);
    assert_eq!((status.failing, status.error.as_deref()), (1, Some("nobody answers")));
    assert!(status.oldest.is_some());
    let mut sent = 0;
    while let Some(delivery) = due().await.pop() {
        desk.store.delivered("forum", delivery.decision, Some(200)).await.expect("the database answers");
        sent += 1;
    }
    assert_eq!(sent, 4);
    assert_eq!(desk.store.resend("forum", first.seq).await.expect("the database answers"), 3);
    assert_eq!(desk.store.resend("nobody", 0).await.expect("the database answers"), 0);
    assert!(desk.store.pause_endpoint("forum", Some("ann@here")).await.expect("the database answers"));
    let paused = desk.store.endpoints().await.expect("the database answers").remove(0);
    assert!(paused.paused_at.is_some());
}
