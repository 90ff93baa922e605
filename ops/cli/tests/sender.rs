//! Which sender a post came from, wherever it is.

mod support;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};
use sluice_core::post::Post;
use support::{Ground, post, text, until};

/// Publishes a post as the producer does for a sender.
async fn send(ground: &Ground, post: &Post, sender: &str) {
    let mut headers = FieldTable::default();
    headers.insert("sluice-sender".into(), AMQPValue::LongString(sender.into()));
    let properties = BasicProperties::default().with_message_id(post.id.to_string().into()).with_headers(headers);
    ground.publish(&ground.topology.exchange(), &post.to_body(), properties).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sender_is_told_of_rows_and_of_dead_letters_and_stays_through_a_replay() {
    let ground = Ground::new().await;
    let worker = ground.worker(&[]);
    worker.says("consuming", 1).await;
    let (good, long, forged) = (post("good"), post(&"x".repeat(300)), post("forged"));
    send(&ground, &good, "forum").await;
    send(&ground, &long, "blog").await;
    send(&ground, &forged, "no name\u{1b}[31m").await;
    let told = async |post: &Post, place: &str| {
        let id = post.id.to_string();
        let story = async || ground.sluice(&["why", &id, "--json"]).await.object();
        until(place, async || story().await["place"] == place).await;
        story().await
    };
    let story = told(&good, "recorded").await;
    assert_eq!(story["post"]["sender"], "forum", "{story}");
    assert_eq!(story["events"][0]["detail"], json!("\"good\", sent by forum"), "{story}");
    assert_eq!(told(&forged, "recorded").await["post"]["sender"], Value::Null, "what is no name is nobody's");

    let story = told(&long, "dead").await;
    assert_eq!(story["dead_letters"][0]["sender"], "blog", "{story}");
    assert!(text(&story["events"][0], "detail").ends_with(", sent by blog"), "{story}");
    let id = long.id.to_string();
    let page = ground.sluice(&["dlq", "show", &id]).await.ok().stdout;
    assert!(page.contains("sender        blog (from the header sluice-sender, which any publisher can set)"), "{page}");
    assert_eq!(ground.sluice(&["dlq", "show", &id, "--json"]).await.ok().object()["sender"], "blog");

    ground.sql("ALTER TABLE posts MODIFY title VARCHAR(300) NOT NULL").await;
    ground.sluice(&["dlq", "replay", &id, "--yes"]).await.ok();
    assert_eq!(told(&long, "recorded").await["post"]["sender"], "blog", "a replay keeps it");
}
