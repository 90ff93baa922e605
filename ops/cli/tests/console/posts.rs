//! What a forum asks and says of posts: what stands, appeals, and that one is gone.

use serde_json::json;
use sluice_core::post::PostId;
use sluice_core::verdict::Verdict;
use sluice_mysql::review::Ruling;

use super::console::text;
use super::ground::Desk;

#[tokio::test]
async fn what_stands_for_a_post_is_told_with_its_reasons_and_decisions_and_without_names() {
    let desk = Desk::new().await;
    let console = desk.console(&[]).await;
    let (case, approved) = (desk.held().await, desk.stored(Verdict::Approved).await);
    let before = console.get(&format!("posts/{}", case.post)).await.is(200);
    assert_eq!(
        (&before["standing"], &before["revision"], &before["decisions"]),
        (&json!("held"), &json!(0), &json!([]))
    );
    assert_eq!(before["reasons"][0]["rule"], "test");
    let decision = desk.decide(case.case, Ruling::Reject).await;
    let after = console.get(&format!("posts/{}", case.post)).await.is(200);
    assert_eq!(
        (&after["standing"], &after["verdict"], &after["revision"]),
        (&json!("rejected"), &json!("held"), &json!(1))
    );
    assert!(after["appealable_until"].is_string());
    assert_eq!(after["decisions"][0]["decision"], decision.decision.to_string());
    assert_eq!(
        (&after["decisions"][0]["by"], &after["decisions"][0]["message"]),
        (&json!("lead"), &json!("a text for the author"))
    );
    let all = after.to_string();
    assert!(!all.contains("lea\"") && !all.contains("for the team") && !all.contains("nothing in particular"), "{all}");

    let nobodys = PostId::new();
    let asked = json!({ "ids": [approved, case.post, nobodys, approved] });
    let standings = console.post("standings", &asked).await.is(200);
    assert_eq!((standings["standings"].as_array().map(Vec::len), &standings["unknown"]), (Some(2), &json!([nobodys])));
    let too_many: Vec<_> = (0..1001).map(|_| PostId::new()).collect();
    console.post("standings", &json!({ "ids": too_many })).await.problem(422, "invalid-request");
    console.post("standings", &json!({ "ids": ["x"] })).await.problem(422, "invalid-request");
    console.get(&format!("posts/{nobodys}")).await.problem(404, "not-found");
    console.get("posts/x").await.problem(404, "not-found");
}

#[tokio::test]
async fn an_author_appeals_once_and_in_time_and_learns_what_came_of_it() {
    let desk = Desk::new().await;
    let console = desk.console(&[]).await;
    let case = desk.held().await;
    let at = format!("posts/{}/appeals", case.post);
    let reason = json!({ "reason": "it is a joke", "by": "ann" });
    console.post(&at, &reason).await.problem(409, "not-rejected");
    let approved = desk.stored(Verdict::Approved).await;
    console.post(&format!("posts/{approved}/appeals"), &reason).await.problem(409, "not-rejected");
    console.post(&format!("posts/{}/appeals", PostId::new()), &reason).await.problem(404, "not-found");
    desk.decide(case.case, Ruling::Reject).await;
    console.post(&at, &json!({ "reason": " " })).await.problem(422, "invalid-request");
    let opened = console.keyed(&at, "appeal-1", &reason).await.is(201);
    assert_eq!(
        (&opened["state"], &opened["outcome"], &opened["reason"]),
        (&json!("waiting"), &json!(null), &json!("it is a joke"))
    );
    assert_eq!(console.keyed(&at, "appeal-1", &reason).await.is(201), opened, "the same answer again");
    let again = console.post(&at, &reason).await.problem(409, "already-appealed");
    assert_eq!(again["appeal"], opened["appeal"]);
    let post = console.get(&format!("posts/{}", case.post)).await.is(200);
    assert_eq!(post["appealable_until"], json!(null), "there is nothing more to appeal against");

    let other = desk.held().await;
    desk.decide(other.case, Ruling::Reject).await;
    let elsewhere = format!("posts/{}/appeals", other.post);
    console.keyed(&elsewhere, "appeal-1", &reason).await.problem(422, "key-reused");
    desk.ground.sql("UPDATE review_decisions SET appealable_until = NOW(6) - INTERVAL 1 SECOND").await;
    console.post(&elsewhere, &reason).await.problem(410, "too-late");

    let appeal = text(&opened, "appeal");
    let decide = json!({ "case": appeal, "verdict": "approved", "by": "lea" });
    console.post("review/decisions", &decide).await.problem(409, "own-decision");
    let decide = json!({ "case": appeal, "verdict": "approved", "by": "bob", "message": "sorry" });
    let decided = console.post("review/decisions", &decide).await.is(201);
    let closed = console.get(&format!("appeals/{appeal}")).await.is(200);
    assert_eq!(
        (&closed["state"], &closed["outcome"], &closed["decision"]),
        (&json!("decided"), &json!("overturned"), &decided["decision"])
    );
    console.get(&format!("appeals/{}", case.case)).await.problem(404, "not-found");
    let notes = console.get(&format!("review/cases/{appeal}")).await.is(200)["notes"].clone();
    assert_eq!(notes[0]["text"], "the appeal is by: ann");
}

#[tokio::test]
async fn a_post_that_is_gone_ends_its_cases_however_often_that_is_said() {
    let desk = Desk::new().await;
    let console = desk.console(&[]).await;
    let case = desk.held().await;
    let at = format!("posts/{}/withdraw", case.post);
    let gone = console.post(&at, &json!({})).await.is(200);
    assert_eq!(gone["cases"], 1);
    assert_eq!(console.answer(console.request(reqwest::Method::POST, &at)).await.is(200), gone);
    let decide = json!({ "case": case.case, "verdict": "approved" });
    console.post("review/decisions", &decide).await.problem(409, "withdrawn");
    let approved = desk.stored(Verdict::Approved).await;
    assert_eq!(console.post(&format!("posts/{approved}/withdraw"), &json!({})).await.is(200)["cases"], 0);
    console.post(&format!("posts/{}/withdraw", PostId::new()), &json!({})).await.problem(404, "not-found");
}
