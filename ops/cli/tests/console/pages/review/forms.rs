//! The whole way by forms: claim, decide, undo, skip, leave to a lead, note.

use sluice_core::verdict::Verdict;
use sluice_lab::testing::eventually;

use super::queue::sent;
use crate::ground::Desk;
use crate::pages::visitor::Visitor;

#[tokio::test]
async fn a_case_is_claimed_decided_and_undone_and_each_form_is_answered_alike_when_it_comes_again() {
    let desk = Desk::new().await;
    let first = desk.held_post("ann", "Cheap ｗａｔｃｈｅｓ", "Buy viagra now, add me on whatsapp +15551234567").await;
    desk.held_post("ann", "another one", "with another text").await;
    let console = desk.reviewing().await;
    let mut ann = Visitor::of(&console, "moderator").await;
    let start = eventually("the cases to be counted", async || {
        let page = ann.get("/review").await.is(200);
        if page.text.contains("<p class=\"figure\">2</p>") { Ok(page) } else { Err(page.text) }
    })
    .await;
    let next = start.field("/review/next", "next");
    let path = ann.post("/review/next", &[("next", &next)]).await.leads();
    assert_eq!(path, format!("/review/cases/{}", first.case), "the worst comes first");
    ann.post("/review/next", &[("next", &next)]).await.goes_to(&path);
    let page = ann.get(&path).await.is(200).says("<mark").says("viagra").says("yours").says("Advertising");
    let page = page.says("another one").says("Holds at").says("Read as");
    let form = page.ruling("reject", "ads");
    let on = ann.post(&format!("{path}/decide"), &sent(&form)).await.leads();
    assert!(on.starts_with("/review/cases/") && on.contains("after="), "{on}");
    ann.post(&format!("{path}/decide"), &sent(&form)).await.goes_to(&on);
    let stands = desk.store.decisions_of(first.post).await.expect("the database answers");
    assert_eq!(
        (stands.len(), stands[0].verdict, stands[0].policies.as_slice()),
        (1, Verdict::Rejected, &["ads".to_owned()][..])
    );
    assert_eq!(stands[0].message.as_deref(), Some("Posts that advertise are not shown."));
    let after = ann.get(&on).await.is(200).says("You rejected").says("(ads)");
    let names = ["undo", "other", "claim"];
    let undo = names.map(|name| (name.to_owned(), after.field("/undo\"", name)));
    let back = format!("/review/decisions/{}/undo", stands[0].decision);
    for _ in 0..2 {
        ann.post(&back, &sent(&undo)).await.goes_to(&path);
    }
    let page = ann.get(&path).await.is(200).says("yours").says("moderator, undo").lacks("Claim this case");
    assert_eq!(desk.now(&first).await.revision, 2);
    let form = page.ruling("ruling", "approve");
    ann.post(&format!("{path}/decide"), &sent(&form)).await.is(303);
    assert_eq!(desk.now(&first).await.state, "decided");
    ann.get(&path).await.is(200).says("closed").says("Undo the decision");
}

#[tokio::test]
async fn what_is_skipped_or_left_to_a_lead_does_not_come_back_and_notes_stay() {
    let desk = Desk::new().await;
    let cases = desk.held_posts(3).await;
    let console = desk.reviewing().await;
    let mut ann = Visitor::of(&console, "moderator").await;
    let path = ann.post("/review/next", &[("next", &uuid::Uuid::now_v7().to_string())]).await.leads();
    let page = ann.get(&path).await.is(200);
    let note = [("id", page.field("/notes\"", "id")), ("text", "<i>look</i>".to_owned())];
    let note = note.map(|(name, value)| (name.to_owned(), value));
    for _ in 0..2 {
        ann.post(&format!("{path}/notes"), &sent(&note)).await.goes_to(&format!("{path}#notes"));
    }
    let shown = ann.get(&path).await.is(200).says("&#60;i&#62;look");
    assert_eq!(shown.text.matches("&#60;i&#62;look").count(), 1, "a note that is sent twice is one");
    let skip = ["claim", "next"].map(|name| (name.to_owned(), page.field("/skip\"", name)));
    let second = ann.post(&format!("{path}/skip"), &sent(&skip)).await.leads();
    assert_ne!(second, path);
    ann.post(&format!("{path}/skip"), &sent(&skip)).await.goes_to(&second);
    let page = ann.get(&second).await.is(200);
    let mut leave = ["claim", "next"].map(|name| (name.to_owned(), page.field("/skip\"", name))).to_vec();
    leave.push(("note".to_owned(), "is this satire?".to_owned()));
    let third = ann.post(&format!("{second}/escalate"), &sent(&leave)).await.leads();
    let page = ann.get(&third).await.is(200);
    let back = [("claim".to_owned(), page.field("/skip\"", "claim"))];
    ann.post(&format!("{third}/release"), &sent(&back)).await.goes_to("/review");
    let next = uuid::Uuid::now_v7().to_string();
    ann.post("/review/next", &[("next", &next)]).await.goes_to(&third);
    let next = uuid::Uuid::now_v7().to_string();
    let none = ann.post("/review/next", &[("next", &next)]).await.goes_to("/review?none=1");
    ann.get(&none.to.expect("a way")).await.is(200).says("No case is free for you").says("Claimed by you");
    ann.get(&second).await.is(200).says("It waits for a lead").lacks("Claim this case");
    let mut lea = Visitor::of(&console, "lead").await;
    let next = uuid::Uuid::now_v7().to_string();
    lea.post("/review/next", &[("next", &next)]).await.goes_to(&second);
    lea.get(&second).await.is(200).says("is this satire?").says("yours");
    assert_eq!(desk.now(&cases[0]).await.state, "waiting");
}

#[tokio::test]
async fn a_post_without_a_row_and_a_very_long_one_are_shown() {
    let desk = Desk::new().await;
    let long = desk.held_post("ann", "", &"viagra \u{202e}<b> ".repeat(3500)).await;
    let console = desk.reviewing().await;
    let mut ann = Visitor::of(&console, "moderator").await;
    let path = format!("/review/cases/{}", long.case);
    let page = ann.get(&path).await.is(200).says("more bytes are not shown").says("(no title)").says("Claim this case");
    assert!(page.text.len() < 100_000, "{}", page.text.len());
    ann.get(&format!("{path}?whole=1")).await.is(200).lacks("more bytes are not shown");
    desk.ground.sql("DELETE FROM posts").await;
    ann.get(&path).await.is(200).says("row is gone");
    let token = uuid::Uuid::now_v7().to_string();
    ann.post(&format!("{path}/claim"), &[("claim", &token)]).await.goes_to(&path);
    ann.post(&format!("{path}/extend"), &[("claim", &token)]).await.goes_to(&path);
    ann.part(&path, "lease", None).await.is(200).says("yours");
}
