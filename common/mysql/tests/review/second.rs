//! The blind second review: who gives the opinion, what they see, what follows from it, and how far people agree.

use serde_json::json;
use sluice_core::moderation::Role;
use sluice_core::moderation::act::Refusal;
use sluice_core::verdict::Verdict;
use sluice_mysql::review::{DecisionRequest, Opinion, Recheck, Ruled, Ruling};
use time::OffsetDateTime;
use uuid::Uuid;

use super::ground::{Desk, lead, moderator, request};

fn opinion(ruled: Result<Ruled, Refusal>) -> Opinion {
    match ruled {
        Ok(Ruled::Opinion(opinion)) => opinion,
        other => panic!("{other:?} is no opinion"),
    }
}

#[tokio::test]
async fn somebody_else_says_the_same_without_seeing_it_and_nothing_changes() {
    let desk = Desk::new().await;
    let (first, second) = desk.drawn("ann", Ruling::Reject).await;
    assert_eq!((second.kind.as_str(), second.state, second.of_decision), ("second", "waiting", Some(first.decision)));
    assert!(desk.next("ann", Role::Moderator).await.is_none(), "it is her own");
    assert_eq!(desk.opine(second.case, Ruling::Reject, lead("ann")).await, Err(Refusal::OwnDecision));
    let (case, token) = desk.next("bob", Role::Moderator).await.expect("for anybody else it is free");
    assert_eq!(case, second.case);
    // What is shown of the case names neither the decision nor the decider, and decisions are shown to ann alone.
    let shown = json!(desk.case(case).await);
    assert_eq!((&shown["of_decision"], &shown["not_by"]), (&json!(null), &json!(null)));
    assert!(!shown.to_string().contains("ann"), "{shown}");
    for viewer in [Some("bob"), Some("lea"), None] {
        let seen = desk.store.decisions_for(first.post, viewer).await.expect("the database answers");
        assert_eq!(seen, None, "{viewer:?}");
    }
    let own = desk.store.decisions_for(first.post, Some("ann")).await.expect("the database answers");
    assert_eq!(own.map(|decisions| decisions.len()), Some(1));
    let given = opinion(desk.opine(case, Ruling::Reject, moderator("bob", Some(token))).await);
    assert_eq!((given.verdict, given.agrees, given.of_decision), (Verdict::Rejected, true, first.decision));
    assert_eq!(desk.opine(case, Ruling::Approve, lead("lea")).await, Err(Refusal::Decided));
    // Nothing stands anew, nothing is told, and now everybody may see it.
    let stored = desk.case(case).await;
    assert_eq!((stored.state, stored.opinion, stored.revision), ("decided", Some(given.opinion), 1));
    let seen = desk.store.decisions_for(first.post, None).await.expect("the database answers");
    assert_eq!(seen.map(|decisions| decisions.len()), Some(1));
    while desk.store.number_events(time::Duration::ZERO).await.expect("the database answers") > 0 {}
    assert_eq!(desk.store.events(0, 10).await.expect("the database answers").len(), 2);
    let work = desk.store.decided_ages("bob", 10).await.expect("the database answers");
    assert_eq!(work.len(), 1, "it counts as work");
}

#[tokio::test]
async fn a_difference_is_for_a_lead_and_what_they_decide_is_told_and_can_be_undone() {
    let desk = Desk::new().await;
    let (first, second) = desk.drawn("ann", Ruling::Approve).await;
    let given = opinion(desk.opine(second.case, Ruling::Reject, moderator("bob", None)).await);
    assert!(!given.agrees);
    assert_eq!(desk.case(second.case).await.state, "escalated");
    assert!(desk.next("cid", Role::Moderator).await.is_none(), "it takes a lead");
    let (case, token) = desk.next("lea", Role::Lead).await.expect("a lead has it");
    assert_eq!(case, second.case);
    let seen = desk.store.decisions_for(first.post, Some("lea")).await.expect("the database answers");
    assert_eq!(seen.map(|decisions| decisions.len()), Some(1), "whoever decides between the two sees both");
    let asked = request(Uuid::now_v7(), case, Ruling::Reject, lead_with("lea", token));
    let decided = desk.store.decide(&asked).await.expect("the database answers").expect("it is there");
    let decided = decided.expect("it is theirs");
    assert_eq!((decided.revision, decided.verdict, decided.cause.as_str()), (2, Verdict::Rejected, "second"));
    assert!(decided.appealable_until.is_some(), "its author has not been heard");
    desk.undo(decided.decision, lead("lea")).await.expect("it is theirs");
    assert_eq!(desk.case(case).await.stored_state.as_str(), "escalated", "no moderator decides it");
    desk.let_it_lapse(case).await;
    assert_eq!(desk.decide(case, Ruling::Reject, moderator("cid", None)).await, Err(Refusal::NeedsLead));
}

fn lead_with(name: &str, token: Uuid) -> sluice_core::moderation::act::Actor<'_> {
    sluice_core::moderation::act::Actor { claim: Some(token), ..lead(name) }
}

#[tokio::test]
async fn only_what_moderators_decide_is_drawn_and_of_a_share_about_as_many() {
    let desk = Desk::new().await;
    let case = desk.held(10).await;
    let asked = super::ground::drawn(Uuid::now_v7(), case.case, Ruling::Reject, lead("lea"));
    desk.store.decide(&asked).await.expect("the database answers").expect("it is there").expect("it was free");
    let case = desk.held(10).await;
    let act = Some(Uuid::now_v7());
    let asked = super::ground::drawn(Uuid::now_v7(), case.case, Ruling::Reject, moderator("ann", None));
    let asked = DecisionRequest { act, ..asked };
    desk.store.decide(&asked).await.expect("the database answers").expect("it is there").expect("it was free");
    assert_eq!(desk.count_of_seconds().await, 0, "neither a lead's nor one in bulk");
    for _ in 0..100 {
        let case = desk.held(10).await;
        let half = Recheck { second_reviews: "50".parse().expect("a share"), ..Recheck::default() };
        let asked = request(Uuid::now_v7(), case.case, Ruling::Reject, moderator("ann", None));
        let asked = DecisionRequest { recheck: half, ..asked };
        desk.store.decide(&asked).await.expect("the database answers").expect("it is there").expect("it was free");
    }
    // One in 300,000 times it is outside of these, five standard deviations away.
    let drawn = desk.count_of_seconds().await;
    assert!((25..=75).contains(&drawn), "{drawn} of 100");
}

/// Twenty pairs of verdicts whose agreement is 0.7 and whose kappa is 0.4: docs of `Agreement` has the formula.
#[tokio::test]
async fn agreement_and_kappa_are_those_of_the_opinions_that_were_given() {
    let desk = Desk::new().await;
    let pairs = [(true, true, 8), (true, false, 2), (false, true, 4), (false, false, 6)];
    let ruling = |approves| if approves { Ruling::Approve } else { Ruling::Reject };
    for (first, says, times) in pairs {
        for time in 0..times {
            let decider = if time % 2 == 0 { "ann" } else { "cid" };
            let (_, second) = desk.drawn(decider, ruling(first)).await;
            opinion(desk.opine(second.case, ruling(says), moderator("bob", None)).await);
        }
    }
    let since = OffsetDateTime::now_utc() - time::Duration::HOUR;
    let all = desk.store.measures(since, None).await.expect("the database answers").remove(0);
    let near = |found: Option<f64>, wanted: f64| assert!((found.expect("it can be computed") - wanted).abs() < 0.0005);
    assert_eq!((all.decisions, all.agreement.second_opinions, all.agreement.agreed), (20, 20, 14));
    near(all.agreement.agreement, 0.7);
    near(all.agreement.agreement_low, 0.4810);
    near(all.agreement.agreement_high, 0.8545);
    near(all.agreement.kappa, 0.4);
    near(all.agreement.kappa_low, 0.0064);
    near(all.agreement.kappa_high, 0.7936);
    let by = desk.store.measures(since, Some("moderator")).await.expect("the database answers");
    let of: Vec<_> = by.iter().map(|line| (line.of.as_str(), line.agreement.second_opinions)).collect();
    assert_eq!(of, [("ann", 10), ("cid", 10)], "by who made the first decision");
    let by = desk.store.measures(since, Some("queue")).await.expect("the database answers");
    assert_eq!((by[0].of.as_str(), by[0].agreement.agreed), ("spam", 14));
}

#[tokio::test]
async fn what_is_undone_or_gone_needs_no_second_opinion_and_one_that_was_left_to_a_lead_is_still_blind() {
    let desk = Desk::new().await;
    let (first, second) = desk.drawn("ann", Ruling::Reject).await;
    let (_, token) = desk.next("bob", Role::Moderator).await.expect("it is free");
    desk.undo(first.decision, moderator("ann", None)).await.expect("it is hers");
    let refused = desk.opine(second.case, Ruling::Reject, moderator("bob", Some(token))).await;
    assert_eq!(refused, Err(Refusal::Withdrawn));
    let (gone, second) = desk.drawn("ann", Ruling::Reject).await;
    assert_eq!(desk.store.withdraw(gone.post).await.expect("the database answers"), Some(2));
    assert_eq!(desk.case(second.case).await.state, "withdrawn");
    let (left, second) = desk.drawn("ann", Ruling::Reject).await;
    let how = sluice_mysql::review::Release::Escalated;
    let released = desk.store.release(second.case, moderator("bob", None), how).await.expect("the database answers");
    assert!(matches!(released, Some(Ok(_))), "{released:?}");
    assert_eq!(desk.store.decisions_for(left.post, Some("lea")).await.expect("the database answers"), None);
    assert!(opinion(desk.opine(second.case, Ruling::Reject, lead("lea")).await).agrees);
    assert_eq!(desk.case(second.case).await.state, "decided");
}
