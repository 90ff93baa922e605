//! What moderators' tools do: claim, decide, undo; and what becomes of a second one.

use serde_json::{Value, json};

use super::console::{Console, text};
use super::ground::{Desk, path};

const POLICIES: &str = "[[policy]]\nid = \"ads\"\ntitle = \"Ads\"\nmessage = \"No ads.\"\ncategories = [\"spam\"]\n";

async fn claimed(console: &Console, by: &str) -> (String, String) {
    let claim = console.post("review/claims", &json!({ "by": by })).await.is(201);
    (text(&claim["case"], "case"), text(&claim, "claim"))
}

#[tokio::test]
async fn a_case_is_claimed_decided_and_undone_and_each_repetition_answers_the_same() {
    let desk = Desk::new().await;
    let console = desk.console(&[]).await;
    let case = desk.held().await;
    let ann = json!({ "by": "ann" });
    let claim = console.keyed("review/claims", "next-1", &ann).await.is(201);
    assert_eq!(claim["case"]["case"], case.case.to_string());
    assert_eq!(console.keyed("review/claims", "next-1", &ann).await.is(201)["claim"], claim["claim"]);
    let none = console.post("review/claims", &json!({ "by": "bob" })).await.is(200);
    assert_eq!((&none["case"], &none["open"]["claimed"]), (&json!(null), &json!(1)));
    assert!(none["open"]["next_free_at"].is_string());
    let one = format!("review/cases/{}", case.case);
    let refused = console.post(&format!("{one}/claim"), &json!({ "by": "bob" })).await.problem(409, "claimed");
    assert_eq!((&refused["by"], &refused["state"]), (&json!("ann"), &json!("claimed")));
    assert!(!refused.to_string().contains(&text(&claim, "claim")), "another's token is not told");
    let hold = json!({ "by": "ann", "claim": claim["claim"] });
    assert!(console.post(&format!("{one}/extend"), &hold).await.is(200)["claimed_until"].is_string());
    console.post(&format!("{one}/notes"), &json!({ "by": "ann", "text": "hm" })).await.is(201);
    let whole = console.get(&one).await.is(200);
    assert_eq!((&whole["notes"][0]["text"], &whole["post"]["title"]), (&json!("hm"), &json!("a post")));

    let decide =
        json!({ "case": case.case, "verdict": "rejected", "by": "ann", "claim": claim["claim"], "revision": 0 });
    let decided = console.keyed("review/decisions", "decide-1", &decide).await.is(201);
    assert_eq!(console.keyed("review/decisions", "decide-1", &decide).await.is(201), decided);
    let second = json!({ "case": case.case, "verdict": "approved", "by": "bob" });
    let conflict = console.post("review/decisions", &second).await.problem(409, "decided");
    assert_eq!(
        (&conflict["by"], &conflict["verdict"], &conflict["decision"]),
        (&json!("ann"), &json!("rejected"), &decided["decision"])
    );
    assert!(conflict["at"].is_string());
    console.keyed("review/claims", "next-1", &ann).await.problem(409, "claim-ended");
    console
        .keyed("review/decisions", "decide-1", &json!({ "case": case.case, "verdict": "approved" }))
        .await
        .problem(422, "key-reused");

    let undo = format!("review/decisions/{}/undo", text(&decided, "decision"));
    console.post(&undo, &json!({ "by": "bob" })).await.problem(409, "not-yours");
    let undone = console.keyed(&undo, "undo-1", &ann).await.is(201);
    assert_eq!((&undone["revision"], &undone["verdict"]), (&json!(2), &json!("held")));
    assert_eq!(console.keyed(&undo, "undo-1", &ann).await.is(201), undone);
    console.post(&undo, &ann).await.problem(409, "superseded");
    console.post(&format!("review/decisions/{}/undo", case.post), &ann).await.problem(404, "not-found");
    let again =
        json!({ "case": case.case, "verdict": "approved", "by": "ann", "claim": undone["claim"], "revision": 0 });
    assert_eq!(console.post("review/decisions", &again).await.problem(409, "superseded")["revision"], 2);
    let again =
        json!({ "case": case.case, "verdict": "approved", "by": "ann", "claim": undone["claim"], "revision": 2 });
    assert_eq!(console.post("review/decisions", &again).await.is(201)["revision"], 3);
}

#[tokio::test]
async fn a_case_that_is_given_back_is_free_and_one_that_is_escalated_is_a_leads() {
    let desk = Desk::new().await;
    let console = desk.console(&[]).await;
    let case = desk.held().await;
    let one = format!("review/cases/{}", case.case);
    let (_, token) = claimed(&console, "ann").await;
    let hold = json!({ "by": "ann", "claim": token });
    for _ in 0..2 {
        assert_eq!(console.post(&format!("{one}/release"), &hold).await.is(200)["state"], "waiting");
    }
    console.post(&format!("{one}/extend"), &hold).await.problem(409, "claim-ended");
    let (_, token) = claimed(&console, "ann").await;
    let hold = json!({ "by": "ann", "claim": token });
    assert_eq!(console.post(&format!("{one}/skip"), &hold).await.is(200)["state"], "waiting");
    for _ in 0..2 {
        assert_eq!(
            console.post(&format!("{one}/escalate"), &json!({ "by": "ann" })).await.is(200)["state"],
            "escalated"
        );
    }
    let escalated = console.get("review/cases?state=escalated&kind=held&limit=5").await.is(200);
    assert_eq!(escalated["cases"].as_array().map(Vec::len), Some(1));
    console.get("review/cases?state=open").await.problem(422, "invalid-request");
    console.get("review/cases?stat=open").await.problem(422, "invalid-request");
    let none = console.post("review/claims", &json!({ "by": "ann" })).await.is(200);
    assert_eq!(none["open"]["escalated"], 1);
    let decide = json!({ "case": case.case, "verdict": "approved", "by": "ann" });
    console.post("review/decisions", &decide).await.problem(409, "needs-lead");
    let lead = console.post("review/claims", &json!({ "by": "lea", "role": "lead" })).await.is(201);
    let decide =
        json!({ "case": case.case, "verdict": "approved", "by": "lea", "role": "lead", "claim": lead["claim"] });
    console.post("review/decisions", &decide).await.is(201);
    console.get(&format!("review/cases/{}", case.post)).await.problem(404, "not-found");
}

#[tokio::test]
async fn with_policies_a_rejection_names_one_and_the_author_gets_its_text() {
    let desk = Desk::new().await;
    let policies = path(&desk.file("policies.toml", POLICIES));
    let console = desk.console(&["--policies", &policies]).await;
    let case = desk.held().await;
    let with = |policies: Value| json!({ "case": case.case, "verdict": "rejected", "policies": policies });
    console.post("review/decisions", &with(json!([]))).await.problem(422, "reason-missing");
    console.post("review/decisions", &with(json!(["no"]))).await.problem(422, "unknown-policy");
    assert_eq!(console.get("review/policies").await.is(200)["policies"][0]["id"], "ads");
    console.post("review/decisions", &with(json!(["ads"]))).await.is(201);
    let post = console.get(&format!("posts/{}", case.post)).await.is(200);
    assert_eq!(
        (&post["decisions"][0]["message"], &post["decisions"][0]["policies"]),
        (&json!("No ads."), &json!(["ads"]))
    );
    for wrong in [json!({ "case": case.case, "verdict": "held" }), json!({ "case": case.case }), json!([])] {
        console.post("review/decisions", &wrong).await.problem(422, "invalid-request");
    }
    console
        .post("review/decisions", &json!({ "case": case.post, "verdict": "approved" }))
        .await
        .problem(404, "not-found");
}
