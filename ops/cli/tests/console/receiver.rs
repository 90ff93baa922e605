//! The receiver that the page for forums shows, taken from the page and run.

use std::path::Path;

use serde_json::json;
use sluice_lab::testing::{Port, Program, eventually};

use super::console::text;
use super::ground::{Desk, SECRET, path};

const PAGE: &str = include_str!("../../../../docs/REVIEW-QUEUE.md");

#[tokio::test(flavor = "multi_thread")]
async fn the_receiver_of_the_page_verifies_events_and_applies_the_higher_revision() {
    let code = PAGE.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a receiver");
    let desk = Desk::new().await;
    let script = desk.file("receiver.py", code);
    let kept = Port::hold();
    let port = kept.addr().port().to_string();
    let environment =
        [("SLUICE_SECRET", SECRET.to_owned()), ("PORT", port.clone()), ("PYTHONUNBUFFERED", "1".to_owned())];
    let receiver = Program::start("python3", &[&path(Path::new(&script))], &environment);
    let url = format!("http://127.0.0.1:{port}/hooks/sluice");
    eventually("the receiver to listen", async || {
        reqwest::Client::new().get(&url).send().await.map(drop).map_err(|_| receiver.said())
    })
    .await;
    let console = desk.console(&["--endpoints", &desk.endpoints(&url)]).await;
    console.program.says("the endpoint is new", 1).await;
    let case = desk.held().await;
    let reject = json!({ "case": case.case, "verdict": "rejected" });
    let decided = console.post("review/decisions", &reject).await.is(201);
    receiver.says(&format!("{} is rejected", case.post), 1).await;
    console.post(&format!("review/decisions/{}/undo", text(&decided, "decision")), &json!({})).await.is(201);
    receiver.says(&format!("{} is held", case.post), 2).await;
    // Sent once more, an event changes nothing.
    let applied = || receiver.said().lines().filter(|line| line.contains(" is ")).count();
    assert_eq!(applied(), 3);
    // The receiver says it before it answers: a delivery that is noted only after this would not be sent again.
    super::sender::until_delivered(&desk, 3).await;
    desk.store.resend("forum", 0).await.expect("the database answers");
    super::sender::until_delivered(&desk, 3).await;
    receiver.says(" 204 ", 6).await;
    assert_eq!((applied(), receiver.said().matches(" 204 ").count()), (3, 6));
    // And what is not signed is refused.
    let forged = reqwest::Client::new().post(&url).header("webhook-id", "x").header("webhook-timestamp", "1");
    let forged = forged.header("webhook-signature", "v1,AAAA").body("{}").send().await.expect("it answers");
    assert_eq!(forged.status(), 400);
}
