//! A blind second review by the API: what its clients are told, and the figures.

use serde_json::json;

use super::console::text;
use super::ground::Desk;

#[tokio::test]
async fn a_second_review_is_claimed_and_answered_like_a_case_and_hides_the_first_decision_until_then() {
    let desk = Desk::new().await;
    let console = desk.console(&["--second-reviews", "100"]).await;
    let case = desk.held().await;
    console.post(&format!("review/cases/{}/notes", case.case), &json!({ "by": "annabel", "text": "hm" })).await.is(201);
    let decide = json!({ "case": case.case, "verdict": "rejected", "by": "annabel", "note": "a bad one" });
    let decided = console.post("review/decisions", &decide).await.is(201);
    let whole = console.get(&format!("review/cases/{}", case.case)).await.is(200);
    assert_eq!((&whole["blind"], &whole["decisions"], &whole["notes"]), (&json!(true), &json!([]), &json!([])));
    let late = json!({ "case": case.case, "verdict": "approved", "by": "cid" });
    let late = console.post("review/decisions", &late).await.problem(409, "decided");
    assert!(late["by"].is_null() && late["verdict"].is_null() && !late.to_string().contains("annabel"), "{late}");
    let listed = console.get("review/cases?kind=second").await.is(200);
    assert!(!listed.to_string().contains("annabel"), "{listed}");

    let claim = console.post("review/claims", &json!({ "by": "cid" })).await.is(201);
    let second = text(&claim["case"], "case");
    assert_eq!((&claim["case"]["kind"], &claim["case"]["of_decision"]), (&json!("second"), &json!(null)));
    let whole = console.get(&format!("review/cases/{second}")).await.is(200).to_string();
    assert!(!whole.contains("annabel") && !whole.contains("a bad one"), "{whole}");
    let opine = json!({ "case": second, "verdict": "rejected", "by": "cid", "claim": claim["claim"] });
    let given = console.keyed("review/decisions", "opine-1", &opine).await.is(201);
    assert_eq!((&given["agrees"], &given["decision"]), (&json!(true), &json!(null)));
    assert_eq!(console.keyed("review/decisions", "opine-1", &opine).await.is(201), given);
    let late = json!({ "case": second, "verdict": "approved", "by": "lea", "role": "lead" });
    assert_eq!(console.post("review/decisions", &late).await.problem(409, "decided")["by"], "cid");

    let whole = console.get(&format!("review/cases/{}", case.case)).await.is(200);
    assert_eq!((&whole["blind"], &whole["decisions"][0]["decision"]), (&json!(false), &decided["decision"]));
    assert_eq!(whole["opinions"][0]["given_by"], "cid");
    let measures = console.get("review/measures?since=1h").await.is(200);
    let all = &measures["measures"][0];
    assert_eq!((&all["of"], &all["second_opinions"], &all["agreement"]), (&json!("all"), &json!(1), &json!(1.0)));
    let by = console.get("review/measures?by=moderator").await.is(200);
    assert_eq!((&by["measures"][0]["of"], &by["measures"][0]["agreed"]), (&json!("annabel"), &json!(1)));
    console.get("review/measures?by=nobody").await.problem(422, "invalid-request");
    console.get("review/measures?since=never").await.problem(422, "invalid-request");
    // The forum is told what stands all along, and of the opinion nothing.
    let post = console.get(&format!("posts/{}", case.post)).await.is(200);
    assert_eq!((&post["standing"], &post["revision"]), (&json!("rejected"), &json!(1)));
}
