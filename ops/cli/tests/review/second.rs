//! A blind second review at the command line: no command tells of the first decision until the opinion is given.

use serde_json::json;

use crate::desk::Desk;
use crate::support::{Ran, text};

/// What nobody may read who may still give the opinion.
const FIRST: [&str; 4] = ["annabel", "rejected", "a note on the decision", "a note on the case"];

fn tells_nothing(ran: Ran) -> Ran {
    for of_the_first in FIRST {
        let told = ran.stdout.contains(of_the_first) || ran.stderr.contains(of_the_first);
        assert!(!told, "{of_the_first} in {ran:?}");
    }
    ran
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reviews_blindly_is_told_nothing_by_why_or_any_command_and_afterwards_all_of_it() {
    let desk = Desk::new().await;
    let held = desk.held("a doubtful post", 60).await;
    let (case, post) = (held.case.as_str(), held.post.as_str());
    desk.review(&["note", case, "a note on the case", "--as", "annabel"]).await.ok();
    let token = text(&desk.review(&["next", "--as", "annabel", "--json"]).await.ok().object(), "claim");
    let decide = ["decide", case, "reject", "--as", "annabel", "--note", "a note on the decision", "--claim", &token];
    desk.review(&[&decide[..], &["--second-reviews", "100%"]].concat()).await.ok();

    for args in [
        &["why", post][..],
        &["why", post, "--json"],
        &["review", "show", case],
        &["review", "show", case, "--json"],
        &["review", "show", post],
        &["review", "list"],
        &["review", "list", "--json"],
    ] {
        tells_nothing(desk.ground.sluice(args).await.ok());
    }
    let why = desk.ground.sluice(&["why", post]).await.ok();
    assert!(why.stdout.contains("for a blind second review"), "{why:?}");
    assert!(why.stdout.contains("not shown while it is reviewed blindly"), "{why:?}");
    let late = desk.review(&["decide", case, "approve", "--as", "cid", "--json"]).await.exits(3);
    assert_eq!(tells_nothing(late).object()["refused"], "decided");

    let own = desk.review(&["next", "--as", "annabel"]).await.exits(3);
    assert!(own.stderr.contains("second reviews of them"), "{own:?}");
    let next = tells_nothing(desk.review(&["next", "--as", "cid", "--json"]).await.ok()).object();
    assert_eq!((&next["kind"], &next["blind"], &next["decisions"]), (&json!("second"), &json!(true), &json!([])));
    assert_eq!((&next["of_decision"], &next["not_by"]), (&json!(null), &json!(null)));
    let (second, token) = (text(&next, "case"), text(&next, "claim"));
    let page = tells_nothing(desk.review(&["next", "--as", "cid", "--claim", &token]).await.ok());
    assert!(page.stdout.contains("a blind second review") && page.stdout.contains("not shown while"), "{page:?}");

    let id = "5f0c4d1e-0000-4000-8000-000000000077";
    let opine = ["decide", &second, "approve", "--as", "cid", "--claim", &token, "--decision", id];
    let said = desk.review(&opine).await.ok();
    assert!(said.stdout.contains("differs from the decision, and a lead decides"), "{said:?}");
    let again = desk.review(&[&opine[..], &["--json"]].concat()).await.ok().object();
    assert_eq!((&again["opinion"], &again["agrees"]), (&json!(id), &json!(false)));

    let why = desk.ground.sluice(&["why", post]).await.ok().stdout;
    for told in ["second opinion", "approved by cid (moderator), differs from", "by annabel", "a note on the decision"]
    {
        assert!(why.contains(told), "{told} in {why}");
    }
    let shown = desk.review(&["show", &second]).await.ok().stdout;
    assert!(shown.contains("second opinions") && shown.contains("differs"), "{shown}");
    let closed = desk.review(&["decide", &second, "reject", "--as", "lea", "--lead", "--json"]).await.ok().object();
    assert_eq!((&closed["revision"], &closed["verdict"]), (&json!(2), &json!("rejected")));
    let measures = desk.review(&["measures", "--json"]).await.ok().object();
    assert_eq!(
        (&measures["second_opinions"], &measures["agreed"], &measures["kappa"]),
        (&json!(1), &json!(0), &json!(0.0))
    );
    let table = desk.review(&["measures"]).await.ok().stdout;
    assert!(table.contains("0 of 1 (0 %, 0–79)"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_review_that_somebody_else_closed_says_whose_opinion_that_was() {
    let desk = Desk::new().await;
    let held = desk.held("a doubtful post", 60).await;
    desk.review(&["decide", &held.case, "reject", "--as", "ann", "--second-reviews", "100"]).await.ok();
    let second = text(&desk.review(&["next", "--as", "bob", "--json"]).await.ok().object(), "case");
    let said = desk.review(&["decide", &second, "reject", "--as", "bob"]).await.ok();
    assert!(said.stdout.contains("agrees with the decision, and the case is closed"), "{said:?}");
    let late = desk.review(&["decide", &second, "approve", "--as", "cid", "--json"]).await.exits(3);
    assert!(late.stderr.contains("bob gave the second opinion at 20"), "{late:?}");
    assert_eq!((&late.object()["by"], &late.object()["verdict"]), (&json!("bob"), &json!("rejected")));
    let bulk = desk.review(&["bulk", &second, "approve", "--as", "cid", "--yes"]).await.exits(2);
    assert!(bulk.stderr.contains("an appeal or a second review"), "{bulk:?}");
    for wrong in ["101", "-1", "a few"] {
        let ran =
            desk.review(&["decide", &second, "reject", "--as", "bob", &format!("--second-reviews={wrong}")]).await;
        assert!(ran.exits(2).stderr.contains("0 to 100 per cent"), "{wrong}");
    }
}
