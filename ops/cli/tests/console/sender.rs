//! The sender, and a forum that misbehaves in every way: each decision arrives, and in the end its last word is ours.

use std::time::Duration;

use lapin::options::{BasicGetOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};
use sluice_lab::testing::eventually;
use sluice_mysql::review::{Ruling, StoredCase};

use super::forum::{Does, Forum};
use super::ground::{Desk, path};

/// Decides each case: rejected, undone, approved. Its last revision is 3.
async fn decide(desk: &Desk, cases: &[StoredCase]) {
    for case in cases {
        let rejected = desk.decide(case.case, Ruling::Reject).await;
        desk.undo(rejected.decision).await;
        desk.decide(case.case, Ruling::Approve).await;
    }
}

async fn cases(desk: &Desk, count: usize) -> Vec<StoredCase> {
    let mut cases = Vec::with_capacity(count);
    for _ in 0..count {
        cases.push(desk.held().await);
    }
    cases
}

/// Waits until what stands at the forum is what stands here.
pub(crate) async fn until_agreed(desk: &Desk, forum: &Forum, cases: &[StoredCase]) {
    let posts: Vec<_> = cases.iter().map(|case| case.post).collect();
    eventually("the forum to have our last word on each post", async || {
        let ours = desk.store.standings(&posts).await.expect("the database answers");
        let theirs = forum.applied();
        let differ: Vec<_> = ours
            .iter()
            .filter(|ours| {
                let ours_is = (u64::from(ours.revision), ours.standing.as_str().to_owned());
                theirs.get(&ours.post.to_string()) != Some(&ours_is)
            })
            .map(|ours| (ours.post, ours.revision, theirs.get(&ours.post.to_string()).cloned()))
            .collect();
        if differ.is_empty() { Ok(()) } else { Err(differ) }
    })
    .await;
}

/// Waits until nothing is left to be sent.
pub(crate) async fn until_delivered(desk: &Desk, delivered: u64) {
    eventually("all deliveries to be noted", async || {
        let status = desk.store.endpoint_statuses().await.expect("the database answers").remove(0);
        if (status.delivered, status.undelivered) == (delivered, 0) { Ok(()) } else { Err(status) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_decision_arrives_at_a_forum_that_misbehaves_in_order_and_signed() {
    let desk = Desk::new().await;
    let mishaps = [
        Does::Refuse(500),
        Does::TakeAndCut,
        Does::Refuse(400),
        Does::Take,
        Does::TakeSlowly(Duration::from_millis(400)),
        Does::Refuse(302),
        Does::TakeAndCut,
        Does::Refuse(429),
    ];
    let mut forum = Forum::new(move |number| match number {
        // Later than anybody waits for it.
        5 => Does::TakeSlowly(Duration::from_secs(12)),
        number => mishaps[number % mishaps.len()],
    })
    .await;
    let console = desk.console(&["--endpoints", &desk.endpoints(&forum.url())]).await;
    console.program.says("the endpoint is new", 1).await;
    let cases = cases(&desk, 6).await;
    decide(&desk, &cases).await;
    eventually("the forum to have been asked often", async || match forum.seen().len() {
        20.. => Ok(()),
        seen => Err(seen),
    })
    .await;
    forum.goes_down();
    tokio::time::sleep(Duration::from_secs(1)).await;
    forum.plan(|_| Does::Take);
    forum.comes_back().await;
    until_agreed(&desk, &forum, &cases).await;
    until_delivered(&desk, 6 * 4).await;
    for case in &cases {
        let revisions = forum.revisions(&case.post.to_string());
        assert!(revisions.is_sorted(), "of one post in order: {revisions:?}");
        assert_eq!((revisions.first(), revisions.last()), (Some(&0), Some(&3)));
    }
    let metrics = console.bare(reqwest::Method::GET, "/metrics").send().await.expect("it answers");
    let metrics = metrics.text().await.expect("a text");
    assert!(metrics.contains("sluice_decisions_delivered_total{endpoint=\"forum\"} 24"), "{metrics}");
    assert!(metrics.contains("sluice_decisions_failed_total{endpoint=\"forum\"}"), "{metrics}");
    let said = console.program.said();
    assert!(!said.contains("of=us") && !said.contains("whsec") && !said.contains("a post\""), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_gone_is_paused_until_a_person_says_so() {
    let desk = Desk::new().await;
    let forum = Forum::new(|_| Does::Refuse(410)).await;
    let console = desk.console(&["--endpoints", &desk.endpoints(&forum.url())]).await;
    console.program.says("the endpoint is new", 1).await;
    let cases = cases(&desk, 1).await;
    console.program.says("410 Gone", 1).await;
    console.program.says("the endpoint is paused", 1).await;
    let status = desk.store.endpoint_statuses().await.expect("the database answers").remove(0);
    assert_eq!((status.paused_by.as_deref(), status.undelivered), (Some("410 Gone"), 1));
    forum.plan(|_| Does::Take);
    decide(&desk, &cases).await;
    assert_eq!(forum.seen().len(), 1, "nothing more was sent");
    desk.store.pause_endpoint("forum", None).await.expect("the database answers");
    until_agreed(&desk, &forum, &cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_asks_for_time_gets_it() {
    let desk = Desk::new().await;
    let forum = Forum::new(|_| Does::AskForTime(3600)).await;
    let console = desk.console(&["--endpoints", &desk.endpoints(&forum.url())]).await;
    console.program.says("the endpoint is new", 1).await;
    cases(&desk, 1).await;
    let next = "SELECT COALESCE(MAX(TIMESTAMPDIFF(SECOND, NOW(6), next_at)), 0) FROM decision_deliveries";
    let mut session = desk.ground.session().await;
    eventually("the answer to be noted", async || match session.query_first(next).await.expect("a good query") {
        Some(3500..=3600) => Ok(()),
        other => Err::<(), Option<i64>>(other),
    })
    .await;
    assert_eq!(forum.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exchange_gets_every_event_once_somebody_has_bound_a_queue() {
    let desk = Desk::new().await;
    let endpoints = desk.file("endpoints.toml", "[[endpoint]]\nname = \"bus\"\nkind = \"exchange\"\n");
    let console = desk.console(&["--endpoints", &path(&endpoints)]).await;
    console.program.says("the endpoint is new", 1).await;
    let cases = cases(&desk, 2).await;
    decide(&desk, &cases).await;
    console.program.says("no queue is bound to the exchange", 1).await;
    let connection = desk.ground.connect().await;
    let channel = connection.create_channel().await.expect("a channel");
    let (queue, options) =
        (format!("{}_forum", desk.ground.name), QueueDeclareOptions { exclusive: true, ..Default::default() });
    channel.queue_declare(queue.as_str().into(), options, FieldTable::default()).await.expect("a queue of our own");
    let (exchange, bind) = (desk.ground.topology().decisions(), QueueBindOptions::default());
    channel
        .queue_bind(queue.as_str().into(), exchange.into(), "#".into(), bind, FieldTable::default())
        .await
        .expect("the exchange is there, and of type topic");
    until_delivered(&desk, 8).await;
    let mut revisions: Vec<(String, u64)> = Vec::new();
    while let Some(message) =
        channel.basic_get(queue.as_str().into(), BasicGetOptions { no_ack: true }).await.expect("the broker answers")
    {
        let event: Value = serde_json::from_slice(&message.data).expect("an event");
        assert_eq!(json!(message.delivery.routing_key.as_str()), event["type"]);
        let id = message.delivery.properties.message_id().as_ref().map(ToString::to_string);
        assert_eq!(id.as_deref(), event["id"].as_str());
        revisions.push((event["post"].to_string(), event["revision"].as_u64().expect("a number")));
    }
    for case in &cases {
        let of_post: Vec<u64> =
            revisions.iter().filter(|(post, _)| post.contains(&case.post.to_string())).map(|(_, at)| *at).collect();
        assert_eq!(of_post, [0, 1, 2, 3]);
    }
}
