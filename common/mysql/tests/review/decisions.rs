//! One row a revision; the highest stands; nothing is written over.

use sluice_core::moderation::Role;
use sluice_core::moderation::act::Refusal;
use sluice_core::verdict::Verdict;
use sluice_mysql::review::Ruling;
use uuid::Uuid;

use super::ground::{Desk, lead, moderator, request};

#[tokio::test]
async fn a_decision_stands_and_the_rules_verdict_stays() {
    let desk = Desk::new().await;
    let case = desk.held(10).await;
    let decision = desk.decide(case.case, Ruling::Reject, moderator("ann", None)).await.expect("nobody has it");
    assert_eq!((decision.revision, decision.verdict, decision.previous), (1, Verdict::Rejected, Verdict::Held));
    let standing = desk.store.standings(&[case.post]).await.expect("the database answers").remove(0);
    assert_eq!((standing.standing, standing.revision), (Verdict::Rejected, 1));
    let row = desk.store.post(case.post).await.expect("the database answers").expect("it is stored");
    assert_eq!(row.verdict, "held");
    assert_eq!(desk.case(case.case).await.state, "decided");
    // A redelivery does not open it again.
    assert_eq!(desk.open(&[case.post]).await, 0);
}

#[tokio::test]
async fn a_decision_that_is_sent_again_is_the_same_and_another_one_is_told_who_was_first() {
    let desk = Desk::new().await;
    let case = desk.held(10).await.case;
    let id = Uuid::now_v7();
    let ask = request(id, case, Ruling::Approve, moderator("ann", None));
    let (one, other) = tokio::join!(desk.store.decide(&ask), desk.store.decide(&ask));
    let (one, other) = (one.expect("the database answers"), other.expect("the database answers"));
    assert_eq!(one, other);
    assert_eq!(one.expect("there is such a case").expect("it was free").decision, id);
    assert_eq!(desk.decide(case, Ruling::Reject, moderator("bob", None)).await, Err(Refusal::Decided));
    let taken = desk.store.decide(&request(id, case, Ruling::Reject, moderator("ann", None))).await;
    assert_eq!(taken.expect_err("the id is taken").code, "decision_id_taken");
}

#[tokio::test]
async fn of_two_decisions_at_once_one_is_written() {
    let desk = Desk::new().await;
    for _ in 0..10 {
        let case = desk.held(10).await;
        let (one, other) = tokio::join!(
            desk.decide(case.case, Ruling::Approve, moderator("ann", None)),
            desk.decide(case.case, Ruling::Reject, moderator("bob", None)),
        );
        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
        assert_eq!(desk.store.decisions_of(case.post).await.expect("the database answers").len(), 1);
    }
}

#[tokio::test]
async fn an_undo_is_a_new_revision_and_gives_the_case_to_whoever_undid() {
    let desk = Desk::new().await;
    let case = desk.held(10).await;
    let first = desk.decide(case.case, Ruling::Reject, moderator("ann", None)).await.expect("it was free");
    assert_eq!(desk.undo(first.decision, moderator("bob", None)).await, Err(Refusal::NotYours));
    let undo = desk.undo(first.decision, lead("lea")).await.expect("a lead may");
    assert_eq!((undo.revision, undo.verdict, undo.undoes), (2, Verdict::Held, Some(first.decision)));
    let open = desk.case(case.case).await;
    assert_eq!((open.state, open.claimed_by.as_deref()), ("claimed", Some("lea")));
    assert_eq!(desk.undo(first.decision, lead("lea")).await, Err(Refusal::Superseded { revision: 2 }));
    assert_eq!(desk.undo(undo.decision, lead("lea")).await, Err(Refusal::NotUndoable));
    let last = desk.decide(case.case, Ruling::Approve, lead("lea")).await.expect("it is theirs");
    assert_eq!((last.revision, last.previous), (3, Verdict::Held));
    let standing = desk.store.standings(&[case.post]).await.expect("the database answers").remove(0);
    assert_eq!((standing.standing, standing.revision), (Verdict::Approved, 3));
}

#[tokio::test]
async fn undoing_the_same_decision_twice_at_once_undoes_it_once() {
    let desk = Desk::new().await;
    let case = desk.held(10).await;
    let first = desk.decide(case.case, Ruling::Reject, moderator("ann", None)).await.expect("it was free");
    let (one, other) =
        tokio::join!(desk.undo(first.decision, moderator("ann", None)), desk.undo(first.decision, lead("lea")));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    assert_eq!(desk.store.decisions_of(case.post).await.expect("the database answers").len(), 2);
}

#[tokio::test]
async fn whoever_expects_another_revision_is_refused() {
    let desk = Desk::new().await;
    let case = desk.held(10).await.case;
    let ask = sluice_mysql::review::DecisionRequest {
        expected: Some(1),
        ..request(Uuid::now_v7(), case, Ruling::Approve, moderator("ann", None))
    };
    let answer = desk.store.decide(&ask).await.expect("the database answers");
    assert_eq!(answer, Some(Err(Refusal::Superseded { revision: 0 })));
}

#[tokio::test]
async fn what_was_decided_is_measured() {
    let desk = Desk::new().await;
    for ruling in [Ruling::Approve, Ruling::Reject, Ruling::Reject] {
        desk.held(10).await;
        let (case, token) = desk.next("ann", Role::Moderator).await.expect("one is free");
        desk.decide(case, ruling, moderator("ann", Some(token))).await.expect("it is theirs");
    }
    let since = time::OffsetDateTime::now_utc() - time::Duration::hours(1);
    let measures = desk.store.measures(since, Some("moderator")).await.expect("the database answers");
    assert_eq!(measures.len(), 1);
    assert_eq!((measures[0].of.as_str(), measures[0].decisions), ("ann", 3));
    assert_eq!((measures[0].approved, measures[0].rejected, measures[0].undone), (1, 2, 0));
    assert!(measures[0].to_decision_p99 < 60.0 && measures[0].handling_p50 >= 0.0);
}
