//! A case is claimed by one at a time, by the database's clock.

use sluice_core::moderation::Role;
use sluice_core::moderation::act::Refusal;
use sluice_mysql::review::{Ask, Claimed, Release, Ruling};
use uuid::Uuid;

use super::ground::{Desk, lead, moderator};

#[tokio::test]
async fn the_worst_comes_first_and_of_equals_the_oldest() {
    let desk = Desk::new().await;
    let (low, old, young) = (desk.held(10).await, desk.held(90).await, desk.held(90).await);
    for wanted in [old.case, young.case, low.case] {
        let (case, _) = desk.next("ann", Role::Moderator).await.expect("one is free");
        assert_eq!(case, wanted);
    }
    assert!(desk.next("ann", Role::Moderator).await.is_none());
}

#[tokio::test]
async fn two_claims_for_the_last_case_give_it_to_one_and_tell_the_other_why_none_is_free() {
    let desk = Desk::new().await;
    desk.held(10).await;
    let ask = |by, token| Ask { by, role: Role::Moderator, token, queue: None };
    let (ann, bob) = (ask("ann", Uuid::now_v7()), ask("bob", Uuid::now_v7()));
    let (one, other) = tokio::join!(desk.store.claim_next(ann), desk.store.claim_next(bob));
    let (one, other) = (one.expect("the database answers"), other.expect("the database answers"));
    match (one, other) {
        (Claimed::Case(_), Claimed::Nothing(nothing)) | (Claimed::Nothing(nothing), Claimed::Case(_)) => {
            assert_eq!((nothing.waiting, nothing.claimed), (0, 1));
            assert!(nothing.next_free_at.is_some());
        }
        both => panic!("{both:?}"),
    }
}

#[tokio::test]
async fn a_claim_that_is_asked_for_again_with_its_token_is_the_same_claim() {
    let desk = Desk::new().await;
    let case = desk.held(10).await.case;
    desk.held(5).await;
    let ask = Ask { by: "ann", role: Role::Moderator, token: Uuid::now_v7(), queue: None };
    for _ in 0..3 {
        match desk.store.claim_next(ask).await.expect("the database answers") {
            Claimed::Case(claimed) => assert_eq!((claimed.case, claimed.handed_out), (case, 1)),
            Claimed::Nothing(nothing) => panic!("{nothing:?}"),
        }
    }
}

#[tokio::test]
async fn fifty_moderators_never_have_the_same_case() {
    let desk = Desk::new().await;
    let mut posts = Vec::new();
    for _ in 0..30 {
        posts.push(desk.stored(sluice_core::verdict::Verdict::Held, 10).await.id);
    }
    desk.open(&posts).await;
    let names: Vec<String> = (0..50).map(|number| format!("m{number}")).collect();
    let claims = names.iter().map(|name| desk.next(name, Role::Moderator));
    let mut cases: Vec<Uuid> =
        futures_util::future::join_all(claims).await.into_iter().flatten().map(|(case, _)| case).collect();
    assert_eq!(cases.len(), 30);
    cases.sort_unstable();
    cases.dedup();
    assert_eq!(cases.len(), 30);
}

#[tokio::test]
async fn a_late_decision_counts_if_nobody_else_has_claimed_and_not_if_somebody_has() {
    let desk = Desk::new().await;
    let (early, taken) = (desk.held(20).await.case, desk.held(10).await.case);
    let (case, token) = desk.next("ann", Role::Moderator).await.expect("one is free");
    assert_eq!(case, early);
    desk.let_it_lapse(early).await;
    assert!(desk.decide(early, Ruling::Approve, moderator("ann", Some(token))).await.is_ok());
    let (_, token) = desk.next("ann", Role::Moderator).await.expect("one is free");
    desk.let_it_lapse(taken).await;
    assert_eq!(desk.case(taken).await.state, "waiting");
    assert_eq!(desk.next("bob", Role::Moderator).await.map(|(case, _)| case), Some(taken));
    let refused = desk.decide(taken, Ruling::Reject, moderator("ann", Some(token))).await;
    assert!(matches!(refused, Err(Refusal::Claimed(claim)) if claim.by == "bob"));
    assert!(desk.store.decisions_of(desk.case(taken).await.post).await.expect("the database answers").is_empty());
}

#[tokio::test]
async fn a_claim_is_extended_by_its_holder_and_never_beyond_an_hour() {
    let desk = Desk::new().await;
    let case = desk.held(10).await.case;
    let (_, token) = desk.next("ann", Role::Moderator).await.expect("one is free");
    let before = desk.case(case).await.claimed_until.expect("it is claimed");
    let minutes = |minutes: u32| {
        format!(
            "UPDATE review_cases SET claimed_at = claimed_at - INTERVAL {minutes} MINUTE, \
             claimed_until = claimed_until - INTERVAL {minutes} MINUTE WHERE id = '{case}'"
        )
    };
    desk.ground.sql(&minutes(5)).await;
    let extend = async |by, token| {
        desk.store.extend_claim(case, moderator(by, Some(token))).await.expect("the database answers")
    };
    let until = extend("ann", token).await.expect("there is such a case").expect("it is theirs");
    assert!(until >= before, "{until} {before}");
    // Fifty-six minutes after it was claimed, there are four left.
    desk.ground.sql(&minutes(51)).await;
    let last = extend("ann", token).await.expect("there is such a case").expect("it is theirs");
    assert!(last - until < time::Duration::ZERO, "{last} {until}");
    assert!(matches!(extend("bob", Uuid::now_v7()).await, Some(Err(Refusal::Claimed(_)))));
    desk.let_it_lapse(case).await;
    desk.next("bob", Role::Moderator).await.expect("it has lapsed");
    // A heartbeat of the old holder does not bring the claim back.
    assert!(matches!(extend("ann", token).await, Some(Err(Refusal::Claimed(claim))) if claim.by == "bob"));
}

#[tokio::test]
async fn a_case_that_is_escalated_or_skipped_too_often_waits_for_a_lead() {
    let desk = Desk::new().await;
    let case = desk.held(10).await.case;
    for round in 1..=5 {
        let by = format!("ann {round}");
        let (_, token) = desk.next(&by, Role::Moderator).await.expect("one is free");
        let skipped = desk.store.release(case, moderator(&by, Some(token)), Release::Skipped).await;
        let state = skipped.expect("the database answers").expect("there is such a case").expect("it is theirs");
        assert_eq!(state.as_str(), if round < 5 { "waiting" } else { "escalated" });
        assert!(desk.next(&by, Role::Moderator).await.is_none(), "it does not come back to whoever skipped it");
    }
    assert!(desk.next("ann", Role::Moderator).await.is_none());
    assert_eq!(desk.decide(case, Ruling::Approve, moderator("ann", None)).await, Err(Refusal::NeedsLead));
    assert_eq!(desk.next("lea", Role::Lead).await.map(|(case, _)| case), Some(case));
    assert!(desk.decide(case, Ruling::Approve, lead("lea")).await.is_ok());
    let given_back = desk.store.release(case, lead("lea"), Release::Released).await.expect("the database answers");
    assert_eq!(given_back, Some(Err(Refusal::Decided)));
}
