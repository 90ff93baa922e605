//! Appeals, withdrawals, and what has to be forgotten.

use sluice_core::moderation::Role;
use sluice_core::moderation::act::Refusal;
use sluice_core::post::PostId;
use sluice_core::verdict::Verdict;
use sluice_mysql::review::{Appeal, AppealRefusal, Ruling};
use uuid::Uuid;

use super::ground::{Desk, lead, moderator};

async fn appeal(desk: &Desk, post: PostId) -> Result<Uuid, AppealRefusal> {
    let appeal = Appeal { id: Uuid::now_v7(), post, reason: "it is a joke" };
    desk.store.appeal(&appeal).await.expect("the database answers").expect("the post has a case")
}

#[tokio::test]
async fn an_appeal_is_judged_by_somebody_else_and_once() {
    let desk = Desk::new().await;
    let case = desk.held(10).await;
    assert_eq!(appeal(&desk, case.post).await, Err(AppealRefusal::NotRejected));
    let against = desk.decide(case.case, Ruling::Reject, moderator("ann", None)).await.expect("it was free");
    let opened = appeal(&desk, case.post).await.expect("in time");
    assert_eq!(appeal(&desk, case.post).await, Err(AppealRefusal::AlreadyAppealed { case: opened }));
    assert_eq!(desk.case(opened).await.of_decision, Some(against.decision));
    assert!(desk.next("ann", Role::Moderator).await.is_none());
    assert_eq!(desk.decide(opened, Ruling::Approve, lead("ann")).await, Err(Refusal::OwnDecision));
    let (case, token) = desk.next("bob", Role::Moderator).await.expect("for anybody else it is free");
    assert_eq!(case, opened);
    let overturned = desk.decide(opened, Ruling::Approve, moderator("bob", Some(token))).await.expect("it is theirs");
    assert_eq!((overturned.revision, overturned.verdict, overturned.cause.as_str()), (2, Verdict::Approved, "appeal"));
    assert_eq!(appeal(&desk, overturned.post).await, Err(AppealRefusal::NotRejected));
}

#[tokio::test]
async fn a_rejection_that_was_upheld_is_final_and_one_may_be_too_late() {
    let desk = Desk::new().await;
    let case = desk.held(10).await;
    desk.decide(case.case, Ruling::Reject, moderator("ann", None)).await.expect("it was free");
    let opened = appeal(&desk, case.post).await.expect("in time");
    desk.decide(opened, Ruling::Reject, moderator("bob", None)).await.expect("somebody else");
    assert_eq!(appeal(&desk, case.post).await, Err(AppealRefusal::Final));
    let late = desk.held(10).await;
    desk.decide(late.case, Ruling::Reject, moderator("ann", None)).await.expect("it was free");
    desk.ground.sql("UPDATE review_decisions SET appealable_until = NOW(6) - INTERVAL 1 SECOND").await;
    assert!(matches!(appeal(&desk, late.post).await, Err(AppealRefusal::TooLate { .. })));
}

#[tokio::test]
async fn two_appeals_at_once_open_one() {
    let desk = Desk::new().await;
    let case = desk.held(10).await;
    desk.decide(case.case, Ruling::Reject, moderator("ann", None)).await.expect("it was free");
    let (one, other) = tokio::join!(appeal(&desk, case.post), appeal(&desk, case.post));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
}

#[tokio::test]
async fn undoing_what_is_appealed_against_ends_the_appeal() {
    let desk = Desk::new().await;
    let case = desk.held(10).await;
    let against = desk.decide(case.case, Ruling::Reject, moderator("ann", None)).await.expect("it was free");
    let opened = appeal(&desk, case.post).await.expect("in time");
    desk.undo(against.decision, moderator("ann", None)).await.expect("it is theirs");
    assert_eq!(desk.case(opened).await.state, "withdrawn");
}

#[tokio::test]
async fn a_post_that_is_gone_ends_its_cases_in_every_state() {
    let desk = Desk::new().await;
    let waiting = desk.held(10).await;
    assert_eq!(desk.store.withdraw(waiting.post).await.expect("the database answers"), Some(1));
    let claimed = desk.held(10).await;
    let (_, token) = desk.next("ann", Role::Moderator).await.expect("one is free");
    desk.store.withdraw(claimed.post).await.expect("the database answers");
    let refused = desk.decide(claimed.case, Ruling::Reject, moderator("ann", Some(token))).await;
    assert_eq!(refused, Err(Refusal::Withdrawn));
    let decided = desk.held(10).await;
    let decision = desk.decide(decided.case, Ruling::Reject, moderator("ann", None)).await.expect("it was free");
    desk.store.withdraw(decided.post).await.expect("the database answers");
    assert_eq!(desk.undo(decision.decision, moderator("ann", None)).await, Err(Refusal::Withdrawn));
    assert_eq!(appeal(&desk, decided.post).await, Err(AppealRefusal::Withdrawn));
    assert_eq!(desk.store.withdraw(PostId::new()).await.expect("the database answers"), None);
}

#[tokio::test]
async fn a_forgotten_post_has_no_texts_and_keeps_its_decisions() {
    let desk = Desk::new().await;
    let case = desk.held(10).await;
    desk.decide(case.case, Ruling::Reject, moderator("ann", None)).await.expect("it was free");
    assert!(desk.store.forget(case.post, "ops@here", Some("the law")).await.expect("the database answers").row);
    let row = desk.store.post(case.post).await.expect("the database answers").expect("its row stays");
    assert_eq!((row.title.as_str(), row.content.as_str(), row.author), ("", "", None));
    assert_eq!(desk.store.decisions_of(case.post).await.expect("the database answers").len(), 1);
    assert!(desk.store.forget(PostId::new(), "ops@here", None).await.expect("the database answers").is_nothing());
}
