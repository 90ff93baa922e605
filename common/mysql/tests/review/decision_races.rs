//! Undo, appeal and withdrawal that meet each other, a decision or the numbering in the middle of a transaction.

use std::time::Duration;

use sluice_core::moderation::act::{Actor, Refusal};
use sluice_core::moderation::{Event, Role};
use sluice_core::verdict::Verdict;
use sluice_mysql::review::{Appeal, AppealRefusal, Ask, DecisionRequest, Recheck, Ruling, StoredCase, UndoRequest};
use uuid::Uuid;

use super::ground::{Desk, lead, moderator, request};

fn undo<'a>(id: Uuid, decision: Uuid, actor: Actor<'a>) -> UndoRequest<'a> {
    UndoRequest { id, decision, actor, note: None, act: None }
}

fn appeal(case: &StoredCase) -> Appeal<'static> {
    Appeal { id: Uuid::now_v7(), post: case.post, reason: "it is a joke" }
}

/// A held post that ann has rejected, and her decision.
async fn rejected(desk: &Desk) -> (StoredCase, Uuid) {
    let case = desk.held(10).await;
    let decision = desk.decide(case.case, Ruling::Reject, moderator("ann", None)).await.expect("it was free");
    (case, decision.decision)
}

/// Numbers what there is, and gives the revisions and the last verdict of the feed.
async fn feed(desk: &Desk) -> (Vec<u32>, Verdict) {
    while desk.store.number_events(time::Duration::ZERO).await.expect("the database answers") > 0 {}
    let events = desk.store.events(0, 100).await.expect("the database answers");
    let events: Vec<Event> =
        events.iter().map(|(_, body)| serde_json::from_str(body).expect("it is an event")).collect();
    let last = events.last().expect("there is an event").verdict;
    (events.iter().map(|event| event.revision).collect(), last)
}

#[tokio::test]
async fn an_undo_in_its_middle_is_not_told_of_and_once_it_is_done_it_comes_after_what_it_undoes() {
    let desk = Desk::new().await;
    let (case, decision) = rejected(&desk).await;
    assert_eq!(desk.store.number_events(time::Duration::ZERO).await.expect("the database answers"), 1);
    let id = Uuid::now_v7();
    let stopped = desk.stop_at_event(id).await;
    let undoes = undo(id, decision, moderator("ann", None));
    let numbers = async {
        desk.waits(1).await;
        let seen = feed(&desk).await;
        stopped.let_go().await;
        seen
    };
    let (undone, seen) = tokio::join!(desk.store.undo(&undoes), numbers);
    assert_eq!(seen, (vec![0, 1], Verdict::Rejected));
    assert_eq!(undone.expect("the database answers").expect("it is there").expect("it is theirs").revision, 2);
    assert_eq!(feed(&desk).await, (vec![0, 1, 2], Verdict::Held));
    assert_eq!(desk.case(case.case).await.state, "claimed");
}

#[tokio::test]
async fn an_undo_that_is_done_while_its_decision_is_being_numbered_is_told_after_it() {
    let desk = Desk::new().await;
    let (_, decision) = rejected(&desk).await;
    desk.store.number_events(time::Duration::ZERO).await.expect("the database answers");
    // Whoever numbers has taken the counter, and waits for the row.
    let stopped =
        desk.stop(&format!("SELECT decision FROM decision_outbox WHERE decision = '{decision}' FOR UPDATE")).await;
    let undoes = undo(Uuid::now_v7(), decision, lead("lea"));
    let undo = async {
        desk.waits(1).await;
        let undone = desk.store.undo(&undoes).await;
        stopped.let_go().await;
        undone
    };
    let (numbered, undone) = tokio::join!(desk.store.number_events(time::Duration::ZERO), undo);
    assert_eq!(numbered.expect("the database answers"), 1);
    undone.expect("the database answers").expect("it is there").expect("a lead may");
    assert_eq!(feed(&desk).await, (vec![0, 1, 2], Verdict::Held));
}

#[tokio::test]
async fn an_undo_and_an_appeal_that_meet_leave_no_appeal_against_nothing() {
    let desk = Desk::new().await;
    // The undo is there first.
    let (case, decision) = rejected(&desk).await;
    let (id, asked) = (Uuid::now_v7(), appeal(&case));
    let undoes = undo(id, decision, moderator("ann", None));
    let stopped = desk.stop_at_event(id).await;
    let (undone, appealed) = desk.meet(stopped, desk.store.undo(&undoes), desk.store.appeal(&asked)).await;
    assert!(matches!(undone.expect("the database answers"), Some(Ok(_))));
    assert_eq!(appealed.expect("the database answers"), Some(Err(AppealRefusal::NotRejected)));
    // The appeal is there first.
    let (case, decision) = rejected(&desk).await;
    let asked = appeal(&case);
    let undoes = undo(Uuid::now_v7(), decision, moderator("ann", None));
    let stopped = desk.stop_at_appeal(asked.id).await;
    let (appealed, undone) = desk.meet(stopped, desk.store.appeal(&asked), desk.store.undo(&undoes)).await;
    assert_eq!(appealed.expect("the database answers"), Some(Ok(asked.id)));
    assert!(matches!(undone.expect("the database answers"), Some(Ok(_))));
    assert_eq!((desk.case(asked.id).await.state, desk.case(case.case).await.state), ("withdrawn", "claimed"));
}

#[tokio::test]
async fn of_the_deciders_undo_and_a_leads_the_second_one_is_told_of_the_first() {
    let desk = Desk::new().await;
    for (first, second) in [(moderator("ann", None), lead("lea")), (lead("lea"), moderator("ann", None))] {
        let (case, decision) = rejected(&desk).await;
        let (one, other) = (undo(Uuid::now_v7(), decision, first), undo(Uuid::now_v7(), decision, second));
        let stopped = desk.stop_at_event(one.id).await;
        let (undone, refused) = desk.meet(stopped, desk.store.undo(&one), desk.store.undo(&other)).await;
        assert!(matches!(undone.expect("the database answers"), Some(Ok(_))));
        assert_eq!(refused.expect("the database answers"), Some(Err(Refusal::Superseded { revision: 2 })));
        assert_eq!(desk.case(case.case).await.claimed_by.as_deref(), Some(first.name));
    }
}

#[tokio::test]
async fn two_appeals_that_meet_open_one_and_one_that_comes_as_its_time_ends_is_too_late() {
    let desk = Desk::new().await;
    let (case, _) = rejected(&desk).await;
    let (one, other) = (appeal(&case), appeal(&case));
    let stopped = desk.stop_at_appeal(one.id).await;
    let (first, second) = desk.meet(stopped, desk.store.appeal(&one), desk.store.appeal(&other)).await;
    assert_eq!(first.expect("the database answers"), Some(Ok(one.id)));
    assert_eq!(second.expect("the database answers"), Some(Err(AppealRefusal::AlreadyAppealed { case: one.id })));
    assert_eq!(desk.store.appeal(&one).await.expect("the database answers"), Some(Ok(one.id)), "asked again");
    // The time ends while it waits for the case.
    let case = desk.held(10).await;
    let short = DecisionRequest {
        recheck: Recheck { appeals: Some(Duration::from_millis(500)), ..Recheck::default() },
        ..request(Uuid::now_v7(), case.case, Ruling::Reject, moderator("ann", None))
    };
    desk.store.decide(&short).await.expect("the database answers").expect("it is there").expect("it was free");
    let stopped = desk.stop_before(case.case).await;
    let asked = appeal(&case);
    let ends = async {
        desk.waits(1).await;
        stopped.and_commit("DO SLEEP(0.6)").await;
    };
    let (late, ()) = tokio::join!(desk.store.appeal(&asked), ends);
    assert!(matches!(late.expect("the database answers"), Some(Err(AppealRefusal::TooLate { .. }))));
}

#[tokio::test]
async fn an_appeal_is_not_its_deciders_in_whatever_role_they_come() {
    let desk = Desk::new().await;
    let (case, _) = rejected(&desk).await;
    let asked = appeal(&case);
    desk.store.appeal(&asked).await.expect("the database answers").expect("it has a case").expect("in time");
    let ask = Ask { by: "ann", role: Role::Lead, token: Uuid::now_v7(), queue: None };
    let claimed = desk.store.claim(asked.id, ask).await.expect("the database answers");
    assert_eq!(claimed, Some(Err(Refusal::OwnDecision)));
    assert!(desk.next("ann", Role::Lead).await.is_none());
    assert_eq!(desk.decide(asked.id, Ruling::Reject, lead("ann")).await, Err(Refusal::OwnDecision));
    assert!(desk.decide(asked.id, Ruling::Reject, lead("lea")).await.is_ok());
}

#[tokio::test]
async fn a_withdrawal_that_meets_a_claim_or_a_decision_ends_the_case_after_it() {
    let desk = Desk::new().await;
    let (case, token) = (desk.held(10).await, Uuid::now_v7());
    let stopped = desk.stop_at_claim(token, case.case).await;
    let ask = Ask { by: "ann", role: Role::Moderator, token, queue: None };
    let (claimed, ended) = desk.meet(stopped, desk.store.claim(case.case, ask), desk.store.withdraw(case.post)).await;
    assert_eq!((claimed.expect("the database answers"), ended.expect("the database answers")), (Some(Ok(())), Some(1)));
    let refused = desk.decide(case.case, Ruling::Reject, moderator("ann", Some(token))).await;
    assert_eq!(refused, Err(Refusal::Withdrawn));
    // A decision that was first stands, and the case is ended all the same.
    let (case, id) = (desk.held(10).await, Uuid::now_v7());
    let decides = request(id, case.case, Ruling::Reject, moderator("ann", None));
    let stopped = desk.stop_at_event(id).await;
    let (decided, ended) = desk.meet(stopped, desk.store.decide(&decides), desk.store.withdraw(case.post)).await;
    assert!(matches!(decided.expect("the database answers"), Some(Ok(_))));
    assert_eq!((ended.expect("the database answers"), desk.case(case.case).await.state), (Some(1), "withdrawn"));
    assert_eq!(feed(&desk).await.1, Verdict::Rejected);
}

#[tokio::test]
async fn a_decision_that_meets_a_withdrawal_is_refused_and_nothing_is_written() {
    let desk = Desk::new().await;
    let case = desk.held(10).await;
    let (_, token) = desk.next("ann", Role::Moderator).await.expect("one is free");
    // The withdrawal has the case and waits for the claim that it ends.
    let stopped = desk.stop(&format!("SELECT id FROM review_claims WHERE id = '{token}' FOR UPDATE")).await;
    let decides = desk.decide(case.case, Ruling::Reject, moderator("ann", Some(token)));
    let (ended, refused) = desk.meet(stopped, desk.store.withdraw(case.post), decides).await;
    assert_eq!(ended.expect("the database answers"), Some(1));
    assert_eq!(refused, Err(Refusal::Withdrawn));
    assert!(desk.store.decisions_of(case.post).await.expect("the database answers").is_empty());
}

#[tokio::test]
async fn a_withdrawal_that_meets_an_appeal_ends_the_appeal_too() {
    let desk = Desk::new().await;
    let (case, _) = rejected(&desk).await;
    let asked = appeal(&case);
    let stopped = desk.stop_at_appeal(asked.id).await;
    let (appealed, ended) = desk.meet(stopped, desk.store.appeal(&asked), desk.store.withdraw(case.post)).await;
    assert_eq!(appealed.expect("the database answers"), Some(Ok(asked.id)));
    assert_eq!(ended.expect("the database answers"), Some(2));
    assert_eq!((desk.case(asked.id).await.state, desk.case(case.case).await.state), ("withdrawn", "withdrawn"));
}

#[tokio::test]
async fn a_bulk_undo_undoes_what_was_appealed_meanwhile_and_leaves_what_was_decided_on_appeal() {
    let desk = Desk::new().await;
    let ((open, first), (upheld, second)) = (rejected(&desk).await, rejected(&desk).await);
    let (one, other) = (appeal(&open), appeal(&upheld));
    for asked in [&one, &other] {
        desk.store.appeal(asked).await.expect("the database answers").expect("it has a case").expect("in time");
    }
    desk.decide(other.id, Ruling::Reject, moderator("bob", None)).await.expect("somebody else");
    let act = Some(Uuid::now_v7());
    let in_bulk = |decision| UndoRequest { act, ..undo(Uuid::now_v7(), decision, lead("lea")) };
    let undone = desk.store.undo(&in_bulk(first)).await.expect("the database answers").expect("it is there");
    assert_eq!(undone.expect("a lead may").act, act);
    let refused = desk.store.undo(&in_bulk(second)).await.expect("the database answers");
    assert_eq!(refused, Some(Err(Refusal::Superseded { revision: 2 })));
    assert_eq!((desk.case(one.id).await.state, desk.case(other.id).await.state), ("withdrawn", "decided"));
}
