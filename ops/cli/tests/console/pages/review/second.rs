//! A blind second review on the pages.

use sluice_mysql::review::StoredCase;
use uuid::Uuid;

use super::queue::sent;
use crate::ground::{Desk, path};
use crate::pages::visitor::{Visitor, account};

/// The second review of a post's decision.
async fn second_of(desk: &Desk, case: &StoredCase) -> StoredCase {
    let mut cases = desk.store.cases_of(case.post).await.expect("the database answers");
    cases.pop().expect("there are two")
}

#[tokio::test]
async fn whoever_gives_the_second_opinion_sees_nothing_of_the_first_decision_on_any_page() {
    let desk = Desk::new().await;
    let cases = desk.held_posts(2).await;
    let clients = std::fs::read_to_string(desk.folder.path().join("accounts.toml")).expect("it is there");
    desk.file("accounts.toml", &(clients + &account("annabel", "moderator")));
    let policies = desk.file("policies.toml", "[[policy]]\nid = \"topic\"\ntitle = \"Off topic\"\nmessage = \"No.\"\n");
    let console = desk.pages(&["--policies", &path(&policies), "--second-reviews", "100"]).await;
    let mut first = Visitor::of(&console, "annabel").await;
    let case = format!("/review/cases/{}", cases[0].case);
    let claim = first.get(&case).await.is(200).field("/claim\"", "claim");
    first.post(&format!("{case}/claim"), &[("claim", &claim)]).await.goes_to(&case);
    let form = first.get(&case).await.is(200).ruling("reject", "topic");
    first.post(&format!("{case}/decide"), &sent(&form)).await.is(303);
    first.get(&case).await.is(200).says("Decisions on this post").says("annabel");
    let second = second_of(&desk, &cases[0]).await;
    let path = format!("/review/cases/{}", second.case);
    first.get(&path).await.is(200).says("about your own decision").lacks("/decide\"");

    let mut bob = Visitor::of(&console, "moderator").await;
    for page in [case.as_str(), &path, "/review/cases?state=decided", "/review/cases", "/review"] {
        bob.get(page).await.is(200).lacks("annabel").lacks(">rejected<");
    }
    bob.get(&case).await.says("A blind second review of this post is open");
    let form = form.iter().map(|(name, value)| match name.as_str() {
        "decision" => (name.clone(), Uuid::now_v7().to_string()),
        _ => (name.clone(), value.clone()),
    });
    let form: Vec<_> = form.filter(|(name, _)| name != "claim").collect();
    let late = bob.post(&format!("{case}/decide"), &sent(&form)).await.is(409).says("decided already");
    late.lacks("annabel").lacks("rejected");

    let page = bob.get(&path).await.is(200).says("you are not shown how");
    bob.post(&format!("{path}/claim"), &[("claim", &page.field("/claim\"", "claim"))]).await.goes_to(&path);
    let page = bob.get(&path).await.is(200).lacks("To the author").lacks("annabel");
    let on = bob.post(&format!("{path}/decide"), &sent(&page.ruling("ruling", "approve"))).await.leads();
    bob.get(&on).await.is(200).says("Your second opinion is noted: you approved");

    let mut lea = Visitor::of(&console, "lead").await;
    let page = lea.get(&path).await.is(200).says("not as was decided").says("annabel").says("topic");
    lea.post(&format!("{path}/claim"), &[("claim", &page.field("/claim\"", "claim"))]).await.goes_to(&path);
    let page = lea.get(&path).await.is(200).says("To the author");
    lea.post(&format!("{path}/decide"), &sent(&page.ruling("ruling", "approve"))).await.is(303);
    lea.get("/review/measures").await.is(200).says("0 of 1 (0 %, 0–79)");
}
