//! `sluice topology` and `sluice migrate`: what is there, what is different, what is made.

use lapin::options::{ExchangeDeclareOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use serde_json::json;

use super::support::{Ground, post};

#[tokio::test(flavor = "multi_thread")]
async fn the_topology_can_be_applied_again_and_again() {
    let ground = Ground::bare(None).await;
    let ran = ground.sluice(&["topology", "check"]).await.exits(1);
    assert_eq!(ran.stdout.lines().count(), 4, "all are missing: {ran:?}");
    ground.sluice(&["topology", "apply"]).await.ok();
    ground.submit(&post("routed")).await;
    ground.sluice(&["topology", "apply"]).await.ok();
    ground.sluice(&["topology", "check"]).await.ok();
    let object = ground.sluice(&["topology", "check", "--json"]).await.ok().object();
    let not_compared = ["bindings", "policies"];
    let wanted =
        json!({ "drift": [], "not_compared": not_compared, "leaderless": [], "problems": [], "cluster": null });
    assert_eq!(object, wanted);
    assert_eq!(ground.queued().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_difference_is_named_at_once_and_nothing_is_changed() {
    let ground = Ground::bare(None).await;
    let mut arguments = FieldTable::default();
    let text = |value: &str| AMQPValue::LongString(value.into());
    for (name, value) in [
        ("x-queue-type", text("quorum")),
        ("x-dead-letter-exchange", text("elsewhere")),
        ("x-delivery-limit", AMQPValue::LongInt(7)),
        ("x-max-length", AMQPValue::LongInt(5)),
        ("x-single-active-consumer", AMQPValue::Boolean(true)),
    ] {
        arguments.insert(name.into(), value);
    }
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let queue = ground.topology.queue();
    ground.channel.queue_declare(queue.as_str().into(), durable, arguments).await.expect("a queue by hand");
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let (exchange, kind) = (ground.topology.exchange(), lapin::ExchangeKind::Fanout);
    let declare = ground.channel.exchange_declare(exchange.as_str().into(), kind, options, FieldTable::default());
    declare.await.expect("an exchange by hand");

    let ran = ground.sluice(&["topology", "check"]).await.exits(1);
    for line in [
        format!("{exchange}: type should be direct, but is fanout"),
        format!("{queue}: x-max-length should be none, but is 5"),
        format!("{queue}: x-delivery-limit should be 20, but is 7"),
        format!(
            "{queue}: x-dead-letter-exchange should be {}, but is elsewhere",
            ground.topology.dead_letter_exchange()
        ),
        format!("{queue}: x-dead-letter-routing-key should be post, but is none"),
        format!("{queue}: x-dead-letter-strategy should be at-least-once, but is none"),
        format!("{queue}: x-overflow should be reject-publish, but is none"),
        format!("{queue}: x-single-active-consumer should be none, but is true"),
        format!("{}: is not there", ground.topology.dead_letter_queue()),
    ] {
        assert!(ran.stdout.lines().any(|told| told == line), "{line}\nin {ran:#?}");
    }
    assert_eq!(ran.stdout.lines().count(), 10, "{ran:#?}");
    let again = ground.sluice(&["topology", "check", "--json"]).await.exits(1).object();
    assert_eq!(again["drift"].as_array().map(Vec::len), Some(10), "{again}");
    let refused = ground.sluice(&["topology", "apply"]).await.exits(1);
    assert!(refused.stderr.contains("sluice topology check"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_is_made_once_and_then_up_to_date() {
    let ground = Ground::bare(None).await;
    let first = ground.sluice(&["migrate"]).await.ok();
    assert!(first.stdout.contains("applied V1__posts"), "{first:?}");
    // Killed between a step and the line that says that it is done.
    ground.sql("DELETE FROM refinery_schema_history WHERE version >= 6").await;
    ground.sluice(&["migrate"]).await.ok();
    let second = ground.sluice(&["migrate"]).await.ok();
    assert!(second.stdout.starts_with("up to date at version "), "{second:?}");
    let ran = ground.sluice(&["migrate", "--database-url", "mysql://root:hunter2@127.0.0.1:1/none"]).await.exits(1);
    assert!(ran.stderr.contains("127.0.0.1:1") && !ran.stderr.contains("hunter2"), "{ran:?}");
    ground.sluice(&["migrate", "--database-url", "none"]).await.exits(2);
}
