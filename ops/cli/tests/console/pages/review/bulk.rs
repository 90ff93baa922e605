//! One decision for many posts with the same text, from the pages.

use sluice_core::verdict::Verdict;
use sluice_mysql::review::{Appeal, Ruling};
use uuid::Uuid;

use super::queue::sent;
use crate::ground::Desk;
use crate::pages::visitor::{Shown, Visitor};

/// How many posts have the same text.
const TWINS: usize = 30;

/// The form of a preview, with what its button adds.
fn form(page: &Shown, name: &str, value: &str) -> Vec<(String, String)> {
    let mut fields = ["act", "cases"].map(|name| (name.to_owned(), page.field("/same\"", name))).to_vec();
    fields.push((name.to_owned(), value.to_owned()));
    fields
}

#[tokio::test]
async fn exactly_what_the_preview_has_shown_is_decided_and_can_be_undone() {
    let desk = Desk::new().await;
    let mut twins = Vec::new();
    for number in 0..TWINS {
        twins.push(desk.held_post(&format!("author {number}"), "Buy now", "Cheap watches, all of you.").await);
    }
    let other = desk.held_post("ann", "another", "with its own text").await;
    let console = desk.reviewing().await;
    let mut ann = Visitor::of(&console, "moderator").await;
    let path = format!("/review/cases/{}", twins[0].case);
    ann.get(&path).await.is(200).says(&format!("{} other open cases have", TWINS - 1)).says("/same");
    let same = format!("{path}/same");
    let page = ann.get(&same).await.is(200).says(&format!("{TWINS} posts with the same text"));
    let page = page.says("Cheap watches, all of you.").says(&format!("Approve {TWINS}"));
    let late = desk.held_post("late", "Buy now", "Cheap watches, all of you.").await;
    desk.claimed_by(&twins[7], "zoe").await;
    let reject = form(&page, "reject", "ads");
    let act = ann.post(&same, &sent(&reject)).await.leads();
    ann.post(&same, &sent(&reject)).await.goes_to(&act);
    ann.get(&act)
        .await
        .is(200)
        .says(&format!("{} of {TWINS} rejected", TWINS - 1))
        .says("claimed or decided by somebody else");
    for case in [&late, &other, &twins[7]] {
        assert_eq!(desk.now(case).await.revision, 0, "it was not shown, or is another's");
    }
    let decided = desk.store.decisions_of(twins[3].post).await.expect("the database answers");
    assert_eq!((decided[0].verdict, decided[0].cause.as_str()), (Verdict::Rejected, "bulk"));
    let undo = format!("{}/undo", act.split('?').next().expect("a path"));
    let mut bob = Visitor::of(&console, "operator").await;
    bob.post(&undo, &[]).await.is(403);
    for _ in 0..2 {
        ann.post(&undo, &[]).await.goes_to(act.split('?').next().expect("a path"));
    }
    ann.get(&act).await.is(200).says(&format!("{} of them undone", TWINS - 1)).lacks("Undo all");
    let back = desk.now(&twins[3]).await;
    assert_eq!((back.state, back.revision), ("waiting", 2));
    ann.get("/review/decided").await.is(200).says("in bulk").says("(undo)");
}

#[tokio::test]
async fn what_is_asked_wrongly_of_many_posts_decides_none() {
    let desk = Desk::new().await;
    let case = desk.held_post("ann", "Buy now", "Cheap watches").await;
    let console = desk.reviewing().await;
    let mut ann = Visitor::of(&console, "moderator").await;
    let same = format!("/review/cases/{}/same", case.case);
    let page = ann.get(&same).await.is(200).says("1 post with the same text");
    ann.post(&same, &sent(&form(&page, "ruling", "reject"))).await.is(422).says("name a policy");
    ann.post(&same, &sent(&form(&page, "reject", "no"))).await.is(422).says("is no policy");
    ann.post(&same, &[("act", "x"), ("ruling", "approve")]).await.is(422).says("act: a UUID");
    let act = Uuid::now_v7().to_string();
    ann.post(&same, &[("act", &act), ("ruling", "approve"), ("cases", "x")]).await.is(422).says("cases");
    ann.get(&format!("/review/acts/{act}")).await.is(404);
    ann.post(&format!("/review/acts/{act}/undo"), &[]).await.is(404);
    assert_eq!(desk.now(&case).await.revision, 0);
    desk.decide(case.case, Ruling::Reject).await;
    ann.post(&same, &sent(&form(&page, "ruling", "approve"))).await.is(303);
    assert_eq!(desk.now(&case).await.revision, 1, "it was decided meanwhile");
    let appeal = Appeal { id: Uuid::now_v7(), post: case.post, reason: "please" };
    let appeal = desk.store.appeal(&appeal).await.expect("the database answers").expect("a case").expect("in time");
    ann.get(&format!("/review/cases/{appeal}/same")).await.is(422).says("decided by itself");
}
