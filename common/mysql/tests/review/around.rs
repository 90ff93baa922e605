//! What lies around a case: the same author's, the same text's, and what happened to it.

use sluice_core::moderation::Role;
use sluice_core::moderation::act::Actor;
use sluice_mysql::review::{DecisionRequest, Release, Ruling};
use uuid::Uuid;

use super::ground::{Desk, lead, moderator, request};

#[tokio::test]
async fn an_authors_other_cases_are_those_of_the_same_bytes_the_latest_first() {
    let desk = Desk::new().await;
    let mut cases = Vec::new();
    for author in ["ann", "ann", "Ann", "ann ", "ann"] {
        let case = desk.held(10).await;
        desk.ground.sql(&format!("UPDATE review_cases SET author = '{author}' WHERE id = '{}'", case.case)).await;
        cases.push(case);
    }
    let found = desk.store.cases_of_author("ann", cases[0].post, 10).await.expect("the database answers");
    let found: Vec<Uuid> = found.iter().map(|case| case.case).collect();
    assert_eq!(found, [cases[4].case, cases[1].case]);
    assert_eq!(desk.store.cases_of_author("ann", cases[0].post, 1).await.expect("the database answers").len(), 1);
    let latest = desk.store.latest_case().await.expect("the database answers").expect("there are some");
    assert_eq!(latest.case, cases[4].case);
}

#[tokio::test]
async fn the_same_text_is_counted_where_it_is_open_and_chosen_where_it_is_nobodys() {
    let desk = Desk::new().await;
    let mut cases = Vec::new();
    for _ in 0..5 {
        cases.push(desk.held(10).await.case);
    }
    desk.next("ann", Role::Moderator).await.expect("one is free");
    desk.decide(cases[1], Ruling::Approve, moderator("bob", None)).await.expect("it is free");
    let escalated = desk.store.release(cases[2], moderator("bob", None), Release::Escalated).await;
    escalated.expect("the database answers").expect("a case").expect("it is free");
    assert_eq!(desk.store.same_text(cases[4]).await.expect("the database answers"), 3);
    let waiting = async |limit| desk.store.waiting_with_text_of(cases[0], limit).await.expect("the database answers");
    assert_eq!((waiting(10).await, waiting(1).await), (vec![cases[3], cases[4]], vec![cases[3]]));
    let nobody = desk.store.waiting_with_text_of(Uuid::now_v7(), 10).await.expect("the database answers");
    assert!(nobody.is_empty(), "{nobody:?}");
}

#[tokio::test]
async fn claims_deliveries_erasure_and_the_decisions_of_an_act_are_read_back() {
    let desk = Desk::new().await;
    let case = desk.held(10).await;
    let (_, token) = desk.next("ann", Role::Moderator).await.expect("one is free");
    let actor = Actor { claim: Some(token), ..moderator("ann", None) };
    let act = Uuid::now_v7();
    let ask = DecisionRequest { act: Some(act), ..request(Uuid::now_v7(), case.case, Ruling::Reject, actor) };
    desk.store.decide(&ask).await.expect("the database answers").expect("a case").expect("it is theirs");
    let other = desk.held(10).await;
    let ask = DecisionRequest { act: Some(act), ..request(Uuid::now_v7(), other.case, Ruling::Reject, lead("lea")) };
    desk.store.decide(&ask).await.expect("the database answers").expect("a case").expect("it is free");
    let first = desk.store.decisions_of_act(act, None, 1).await.expect("the database answers");
    let rest = desk.store.decisions_of_act(act, Some(first[0].decision), 10).await.expect("the database answers");
    assert_eq!((first.len(), rest.len()), (1, 1));
    assert!(first[0].decision < rest[0].decision && rest[0].post == other.post);

    let claims = desk.store.claims_of(case.post).await.expect("the database answers");
    assert_eq!((claims.len(), claims[0].by.as_str(), claims[0].outcome.as_deref()), (1, "ann", Some("decided")));
    assert!(claims[0].ended_at.is_some_and(|ended| ended >= claims[0].at));
    desk.store.add_endpoint("forum").await.expect("the database answers");
    while desk.store.number_events(time::Duration::ZERO).await.expect("the database answers") > 0 {}
    desk.store.enqueue_deliveries("forum").await.expect("the database answers");
    let sent = desk.store.deliveries_of(case.post).await.expect("the database answers");
    assert_eq!(sent.len(), 2);
    assert!(
        sent[0].seq < sent[1].seq && sent.iter().all(|sent| sent.endpoint == "forum" && sent.delivered_at.is_none())
    );
    assert_eq!(desk.store.forgotten(case.post).await.expect("the database answers"), None);
    assert!(desk.store.forget(case.post, "lea", Some("a request")).await.expect("the database answers").row);
    let forgotten = desk.store.forgotten(case.post).await.expect("the database answers").expect("it was");
    assert_eq!((forgotten.by.as_str(), forgotten.reason.as_deref()), ("lea", Some("a request")));
}
