//! What people get wrong, and what others did first.

use sluice_mysql::review::Ruling;
use uuid::Uuid;

use super::queue::sent;
use crate::ground::Desk;
use crate::pages::visitor::{Shown, Visitor};

/// Claims a case by its page; gives the page.
async fn claimed(visitor: &mut Visitor, path: &str) -> Shown {
    let page = visitor.get(path).await.is(200);
    let token = page.field("/claim\"", "claim");
    visitor.post(&format!("{path}/claim"), &[("claim", &token)]).await.goes_to(path);
    visitor.get(path).await.is(200).says("yours")
}

#[tokio::test]
async fn whoever_comes_second_is_told_who_was_first_and_when_and_goes_on_with_one_key() {
    let desk = Desk::new().await;
    let cases = desk.held_posts(3).await;
    let console = desk.reviewing().await;
    let mut ann = Visitor::of(&console, "moderator").await;
    let path = format!("/review/cases/{}", cases[0].case);
    let form = claimed(&mut ann, &path).await.ruling("ruling", "approve");
    desk.lapse().await;
    ann.part(&path, "lease", None).await.is(200).says("your time is over");
    desk.claimed_by(&cases[0], "zoe").await;
    ann.part(&path, "lease", None).await.is(200).says("claimed by zoe");
    let refused = ann.post(&format!("{path}/decide"), &sent(&form)).await.is(409).says("zoe has claimed this case");
    let next = refused.says("Nothing was changed by you").field("/review/next", "next");
    desk.lapse().await;
    desk.decide(cases[0].case, Ruling::Reject).await;
    let refused = ann.post(&format!("{path}/decide"), &sent(&form)).await.is(409).says("decided already");
    refused.says("lea (lead) decided at 20").says("<strong>rejected</strong>").says("data-key=\"n\"");
    let on = ann.post("/review/next", &[("next", &next)]).await.leads();
    assert_ne!(on, path);
    desk.ground.sql("UPDATE review_cases SET state = 'withdrawn', closed_at = NOW(6)").await;
    let form = form
        .iter()
        .filter(|(name, _)| name != "decision")
        .cloned()
        .chain([("decision".to_owned(), Uuid::now_v7().to_string())]);
    ann.post(&format!("{path}/decide"), &sent(&form.collect::<Vec<_>>())).await.is(409).says("gone at the forum");
}

#[tokio::test]
async fn a_claim_that_has_ended_still_decides_while_nobody_else_came_and_no_longer_once_it_was_given_back() {
    let desk = Desk::new().await;
    let cases = desk.held_posts(2).await;
    let console = desk.reviewing().await;
    let mut ann = Visitor::of(&console, "moderator").await;
    let [one, two] = [0, 1].map(|at| format!("/review/cases/{}", cases[at].case));
    let form = claimed(&mut ann, &one).await.ruling("ruling", "approve");
    desk.lapse().await;
    let on = ann.post(&format!("{one}/decide"), &sent(&form)).await.leads();
    assert!(on.starts_with(&two), "{on}");
    let page = ann.get(&two).await.is(200).says("yours");
    let form = page.ruling("reject", "rude");
    let claim = page.field("/skip\"", "claim");
    ann.post(&format!("{two}/release"), &[("claim", &claim)]).await.goes_to("/review");
    ann.post(&format!("{two}/decide"), &sent(&form)).await.is(409).says("Your claim has ended");
    ann.post(&format!("{two}/extend"), &[("claim", &claim)]).await.is(409);
    assert_eq!(desk.now(&cases[1]).await.state, "waiting");
}

#[tokio::test]
async fn a_form_that_is_not_in_order_is_refused_with_what_is_wrong() {
    let desk = Desk::new().await;
    let case = desk.held_posts(1).await.remove(0);
    let console = desk.reviewing().await;
    let mut ann = Visitor::of(&console, "moderator").await;
    let path = format!("/review/cases/{}", case.case);
    let page = claimed(&mut ann, &path).await;
    let decide = format!("{path}/decide");
    let long = "x".repeat(2001);
    for (name, value, status, words) in [
        ("ruling", "reject", 422, "has to name a policy"),
        ("reject", "nonsense", 422, "is no policy"),
        ("ruling", "perhaps", 422, "approve or reject"),
        ("nothing", "", 422, "approve or reject"),
    ] {
        ann.post(&decide, &sent(&page.ruling(name, value))).await.is(status).says(words);
    }
    for (name, value, words) in [
        ("decision", "", "decision: a UUID"),
        ("claim", "stale", "claim: a UUID"),
        ("next", "", "next: a UUID"),
        ("revision", "none", "revision: a number"),
        ("message", long.as_str(), "2000 characters"),
        ("queue", long.as_str(), "at most 100 characters"),
    ] {
        let mut form = page.ruling("reject", "ads");
        form.retain(|(known, _)| known != name);
        form.push((name.to_owned(), value.to_owned()));
        ann.post(&decide, &sent(&form)).await.is(422).says(words);
    }
    let mut form = page.ruling("reject", "ads");
    form[1].1 = "7".to_owned();
    ann.post(&decide, &sent(&form)).await.is(409).says("a later decision (revision 0)");
    ann.get("/review/cases/nonsense").await.is(404);
    ann.get(&format!("/review/cases/{}", case.post)).await.is(404).says("no case with this id");
    ann.post(&format!("{path}/notes"), &[("id", &Uuid::now_v7().to_string()), ("text", " ")]).await.is(422);
    ann.post(&format!("/review/decisions/{}/undo", case.case), &[("undo", &Uuid::now_v7().to_string())]).await.is(404);
    assert_eq!(desk.now(&case).await.revision, 0, "nothing was decided");
}

#[tokio::test]
async fn who_may_not_is_told_the_role_that_it_takes() {
    let desk = Desk::new().await;
    let case = desk.held_posts(1).await.remove(0);
    let console = desk.reviewing().await;
    let path = format!("/review/cases/{}", case.case);
    for role in ["viewer", "operator"] {
        let mut bob = Visitor::of(&console, role).await;
        bob.get("/review").await.is(403).says("takes the role moderator");
        bob.post(&format!("{path}/decide"), &[]).await.is(403).says("takes the role moderator");
        bob.get("/").await.is(200).lacks("href=\"/review\"");
    }
    let mut ann = Visitor::of(&console, "moderator").await;
    let page = claimed(&mut ann, &path).await;
    let leave = ["claim", "next"].map(|name| (name.to_owned(), page.field("/skip\"", name)));
    ann.post(&format!("{path}/escalate"), &sent(&leave)).await.goes_to("/review?none=1");
    ann.post(&format!("{path}/decide"), &sent(&page.ruling("ruling", "approve")))
        .await
        .is(403)
        .says("takes the role lead");
    let decision = desk.decide(case.case, Ruling::Approve).await.decision;
    let undo = format!("/review/decisions/{decision}/undo");
    ann.post(&undo, &[("undo", &Uuid::now_v7().to_string())]).await.is(403).says("takes the role lead");
    ann.get(&path).await.is(200).lacks("Undo the decision");
    let mut lea = Visitor::of(&console, "lead").await;
    lea.post(&undo, &[("undo", &Uuid::now_v7().to_string())]).await.goes_to(&path);
}
