//! The feed: with a cursor, and waited for.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sluice_lab::testing::{eventually, in_time};
use sluice_mysql::review::Ruling;

use super::console::Console;
use super::ground::Desk;

async fn feed(console: &Console, query: &str) -> (Vec<Value>, u64) {
    let answer = console.get(&format!("decisions?{query}")).await.is(200);
    let events = answer["decisions"].as_array().expect("a list").clone();
    (events, answer["next"].as_u64().expect("a number"))
}

#[tokio::test]
async fn a_reader_with_a_cursor_gets_every_event_once_and_in_order() {
    let desk = Desk::new().await;
    let console = desk.console(&[]).await;
    for _ in 0..3 {
        let case = desk.held().await;
        let decision = desk.decide(case.case, Ruling::Reject).await;
        desk.undo(decision.decision).await;
    }
    eventually("all events to be in the feed", async || match feed(&console, "limit=1000").await.0.len() {
        9 => Ok(()),
        there => Err(there),
    })
    .await;
    let (mut cursor, mut seen) = (0, Vec::new());
    loop {
        let (events, next) = feed(&console, &format!("after={cursor}&limit=2")).await;
        if events.is_empty() {
            assert_eq!(next, cursor);
            break;
        }
        assert_eq!(events.last().expect("an event")["seq"], next);
        seen.extend(events);
        cursor = next;
    }
    let places: Vec<u64> = seen.iter().map(|event| event["seq"].as_u64().expect("a number")).collect();
    assert_eq!(places, (1..=9).collect::<Vec<_>>());
    assert_eq!(seen.iter().filter(|event| event["cause"] == "undo").count(), 3);
    assert!(!json!(seen).to_string().contains("a post\""), "no text of a post is in it");
    for wrong in ["after=-1", "limit=0", "limit=1001", "wait=31", "since=1", "after=1&after=2"] {
        console.get(&format!("decisions?{wrong}")).await.problem(422, "invalid-request");
    }
}

#[tokio::test]
async fn a_reader_who_waits_is_told_at_once_and_a_console_that_stops_lets_him_go() {
    let desk = Desk::new().await;
    let mut console = desk.console(&[]).await;
    let begun = Instant::now();
    assert!(feed(&console, "wait=1").await.0.is_empty() && begun.elapsed() >= Duration::from_secs(1));
    let (waited, _) = tokio::join!(feed(&console, "wait=30"), desk.held());
    assert_eq!(waited.0[0]["type"], "post.held");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let waiting = console.request(reqwest::Method::GET, "decisions?after=1000&wait=30").send();
    let waiting = tokio::spawn(waiting);
    // Those who came after it have their answers: it was taken long ago, and waits.
    for _ in 0..20 {
        feed(&console, "limit=1").await;
    }
    let stopping = Instant::now();
    assert!(console.program.stop().await.success());
    in_time("the end of the console", stopping.elapsed(), Duration::from_secs(5));
    let answer = waiting.await.expect("it has not panicked").expect("it is answered");
    assert_eq!(answer.status(), 503);
}
