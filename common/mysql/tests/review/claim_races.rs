//! Claims, their lapse, decisions and bulk decisions that meet in the middle of a transaction.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use sluice_core::moderation::Role;
use sluice_core::moderation::act::Refusal;
use sluice_mysql::review::{Ask, Claimed, DecisionRequest, Ruling, StoredCase};
use uuid::Uuid;

use super::ground::{Desk, moderator, request};

/// A case that this person has claimed, and their token.
async fn claimed(desk: &Desk, by: &str) -> (StoredCase, Uuid) {
    let case = desk.held(10).await;
    let (_, token) = desk.next(by, Role::Moderator).await.expect("one is free");
    (case, token)
}

fn ask(by: &str, token: Uuid) -> Ask<'_> {
    Ask { by, role: Role::Moderator, token, queue: None }
}

async fn decisions(desk: &Desk, case: &StoredCase) -> usize {
    desk.store.decisions_of(case.post).await.expect("the database answers").len()
}

fn by(refused: Result<sluice_mysql::review::Decision, Refusal>) -> String {
    match refused {
        Err(Refusal::Claimed(claim)) => claim.by,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn whoever_finds_the_last_case_being_claimed_waits_for_that_and_is_told_who_has_it() {
    let desk = Desk::new().await;
    let (case, token) = (desk.held(10).await, Uuid::now_v7());
    let stopped = desk.stop_at_claim(token, case.case).await;
    // Stopped, the claim is neither there nor not: the case is locked, and skipped by whoever else asks.
    let other = async {
        desk.waits(1).await;
        let let_go = async {
            tokio::task::yield_now().await;
            stopped.let_go().await;
        };
        tokio::join!(desk.store.claim_next(ask("bob", Uuid::now_v7())), let_go).0
    };
    let (first, other) = tokio::join!(desk.store.claim_next(ask("ann", token)), other);
    assert!(matches!(first.expect("the database answers"), Claimed::Case(claimed) if claimed.case == case.case));
    match other.expect("the database answers") {
        Claimed::Nothing(nothing) => assert_eq!((nothing.waiting, nothing.claimed), (0, 1)),
        Claimed::Case(case) => panic!("{case:?}"),
    }
}

#[tokio::test]
async fn nobody_is_told_that_nothing_is_free_because_the_free_case_is_locked_for_a_moment() {
    let desk = Desk::new().await;
    for (role, state) in [(Role::Moderator, "waiting"), (Role::Lead, "escalated")] {
        let case = desk.held(10).await;
        let id = case.case;
        desk.ground.sql(&format!("UPDATE review_cases SET state = '{state}' WHERE id = '{id}'")).await;
        let mut session = desk.ground.session().await;
        for statement in ["BEGIN".to_owned(), format!("SELECT id FROM review_cases WHERE id = '{id}' FOR UPDATE")] {
            session.query_drop(statement).await.expect("the database answers");
        }
        // As long as a commit may take on a disk that others are writing to.
        let end = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            session.query_drop("ROLLBACK").await.expect("the database answers");
        };
        let ask = Ask { role, ..ask("ann", Uuid::now_v7()) };
        let (claimed, ()) = tokio::join!(desk.store.claim_next(ask), end);
        match claimed.expect("the database answers") {
            Claimed::Case(claimed) => assert_eq!(claimed.case, id),
            Claimed::Nothing(nothing) => panic!("{nothing:?}"),
        }
    }
}

#[tokio::test]
async fn a_claim_that_lapses_while_its_decision_is_on_its_way_still_decides_if_nobody_came() {
    let desk = Desk::new().await;
    let (case, token) = claimed(&desk, "ann").await;
    let stopped = desk.stop_before(case.case).await;
    let lapse =
        format!("UPDATE review_cases SET claimed_until = NOW(6) - INTERVAL 1 SECOND WHERE id = '{}'", case.case);
    let lapses = async {
        desk.waits(1).await;
        stopped.and_commit(&lapse).await;
    };
    let (decided, ()) = tokio::join!(desk.decide(case.case, Ruling::Reject, moderator("ann", Some(token))), lapses);
    assert_eq!(decided.expect("nobody else has claimed").revision, 1);
}

#[tokio::test]
async fn a_claim_that_lapses_while_its_decision_is_on_its_way_decides_nothing_once_another_has_claimed() {
    let desk = Desk::new().await;
    let (case, token) = claimed(&desk, "ann").await;
    desk.let_it_lapse(case.case).await;
    let theirs = Uuid::now_v7();
    let stopped = desk.stop_at_claim(theirs, case.case).await;
    let claim = desk.store.claim(case.case, ask("bob", theirs));
    let decide = desk.decide(case.case, Ruling::Reject, moderator("ann", Some(token)));
    let (claimed, decided) = desk.meet(stopped, claim, decide).await;
    assert_eq!(claimed.expect("the database answers"), Some(Ok(())));
    assert_eq!((by(decided).as_str(), decisions(&desk, &case).await), ("bob", 0));
}

#[tokio::test]
async fn a_heartbeat_that_meets_the_lapse_of_its_own_claim_extends_it_and_one_that_meets_another_claim_does_not() {
    let desk = Desk::new().await;
    let (case, token) = claimed(&desk, "ann").await;
    let stopped = desk.stop_before(case.case).await;
    let lapse =
        format!("UPDATE review_cases SET claimed_until = NOW(6) - INTERVAL 1 SECOND WHERE id = '{}'", case.case);
    let lapses = async {
        desk.waits(1).await;
        stopped.and_commit(&lapse).await;
    };
    let (extended, ()) = tokio::join!(desk.store.extend_claim(case.case, moderator("ann", Some(token))), lapses);
    assert!(matches!(extended.expect("the database answers"), Some(Ok(_))));
    assert_eq!(desk.case(case.case).await.claimed_by.as_deref(), Some("ann"));
    desk.let_it_lapse(case.case).await;
    let theirs = Uuid::now_v7();
    let stopped = desk.stop_at_claim(theirs, case.case).await;
    let claim = desk.store.claim(case.case, ask("bob", theirs));
    let extend = desk.store.extend_claim(case.case, moderator("ann", Some(token)));
    let (claimed, extended) = desk.meet(stopped, claim, extend).await;
    assert_eq!(claimed.expect("the database answers"), Some(Ok(())));
    assert!(matches!(extended.expect("the database answers"), Some(Err(Refusal::Claimed(claim))) if claim.by == "bob"));
    assert_eq!(desk.case(case.case).await.claimed_by.as_deref(), Some("bob"));
}

#[tokio::test]
async fn a_heartbeat_that_meets_the_decision_brings_no_claim_back() {
    let desk = Desk::new().await;
    let (case, token) = claimed(&desk, "ann").await;
    let id = Uuid::now_v7();
    let stopped = desk.stop_at_event(id).await;
    let ask = request(id, case.case, Ruling::Approve, moderator("ann", Some(token)));
    let extend = desk.store.extend_claim(case.case, moderator("ann", Some(token)));
    let (decided, extended) = desk.meet(stopped, desk.store.decide(&ask), extend).await;
    assert!(matches!(decided.expect("the database answers"), Some(Ok(_))));
    assert_eq!(extended.expect("the database answers"), Some(Err(Refusal::Decided)));
    let case = desk.case(case.case).await;
    assert_eq!((case.state, case.claimed_by), ("decided", None));
}

#[tokio::test]
async fn a_bulk_decision_leaves_out_the_post_that_somebody_is_claiming_and_the_claim_finds_the_others_decided() {
    let desk = Desk::new().await;
    let (one, other) = (desk.held(10).await, desk.held(10).await);
    let act = Some(Uuid::now_v7());
    let bulk = |id, case| DecisionRequest { act, ..request(id, case, Ruling::Reject, moderator("bob", None)) };
    // The claim is there first.
    let token = Uuid::now_v7();
    let stopped = desk.stop_at_claim(token, one.case).await;
    let in_bulk = bulk(Uuid::now_v7(), one.case);
    let (claimed, decided) =
        desk.meet(stopped, desk.store.claim(one.case, ask("ann", token)), desk.store.decide(&in_bulk)).await;
    assert_eq!(claimed.expect("the database answers"), Some(Ok(())));
    let decided = decided.expect("the database answers").expect("there is such a case");
    assert_eq!((by(decided).as_str(), decisions(&desk, &one).await), ("ann", 0));
    // The bulk decision is there first; a twin that arrives meanwhile is in nobody's list.
    let in_bulk = bulk(Uuid::now_v7(), other.case);
    let stopped = desk.stop_at_event(in_bulk.id).await;
    let claim = async {
        let twin = desk.held(10).await;
        (desk.store.claim(other.case, ask("ann", Uuid::now_v7())).await, twin)
    };
    let (decided, (claimed, twin)) = desk.meet(stopped, desk.store.decide(&in_bulk), claim).await;
    let decided = decided.expect("the database answers").expect("there is such a case").expect("it was free");
    assert_eq!((decided.cause.as_str(), decided.act), ("bulk", act));
    assert_eq!(claimed.expect("the database answers"), Some(Err(Refusal::Decided)));
    assert_eq!(desk.case(twin.case).await.state, "waiting");
}
