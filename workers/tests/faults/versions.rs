//! Two versions side by side, seen from the worker: a newer producer before it, a newer worker beside it, a newer
//! schema behind it.

use lapin::BasicProperties;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use sluice_core::dead_letter::FAILURE_HEADER;
use sluice_core::disposition::Class;
use sluice_lab::testing::{Ground, eventually};

use crate::stage::{all_stored, number, posts};
use crate::support::{start, stored, worker};

/// Publishes one message as only another version would.
async fn publish(ground: &Ground, exchange: String, properties: BasicProperties, body: &[u8]) {
    let connection = ground.connect().await;
    let channel = connection.create_channel().await.expect("a channel");
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    // RabbitMQ 4.3 may not route to a queue yet that it has just declared. What comes back is in no queue.
    eventually("it to be routed", async || {
        let exchange = exchange.as_str().into();
        let publish = channel.basic_publish(exchange, "post".into(), options, body, properties.clone());
        let confirm = publish.await.expect("it is sent").await.expect("it is confirmed");
        if confirm.is_ack() && confirm.take_message().is_none() { Ok(()) } else { Err("it was returned") }
    })
    .await;
}

fn headers(entries: &[(&str, AMQPValue)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in entries {
        table.insert((*name).into(), value.clone());
    }
    table
}

#[tokio::test]
async fn what_a_newer_producer_sends_is_stored() {
    let ground = Ground::new().await;
    let mut worker = worker(&ground, &[]).await;
    let post = ground.post("from the future");
    let mut body: serde_json::Value = serde_json::from_slice(&post.to_body()).expect("JSON");
    body["language"] = "en".into();
    body["attachments"] = serde_json::json!([{"name": "cat.png", "bytes": 12}]);
    let trace = headers(&[
        ("traceparent", AMQPValue::LongString("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into())),
        ("sluice-priority", AMQPValue::LongLongInt(7)),
    ]);
    let properties = BasicProperties::default()
        .with_message_id(post.id.to_string().into())
        .with_type("post.submitted.v2".into())
        .with_content_type("application/json; profile=2".into())
        .with_headers(trace);
    publish(&ground, ground.topology().exchange(), properties, body.to_string().as_bytes()).await;
    let row = stored(&ground, post.id).await;
    assert_eq!((row.title.as_str(), row.attempts), ("from the future", 1));
    assert!(worker.stop().await.success());
    assert_eq!((ground.depth().await.ready, ground.dead().await.ready), (0, 0));
}

#[tokio::test]
async fn a_dead_letter_of_a_newer_worker_is_read_with_all_that_is_known_of_it() {
    let ground = Ground::new().await;
    ground.declare().await;
    let post = ground.post("from the future");
    let failure = serde_json::json!({
        "schema": 2, "class": "quarantined", "code": "policy_7", "message": "waits for a lawyer",
        "fingerprint": "0123456789ab", "attempts": 3, "first_failed_at": "2027-01-02T03:04:05Z",
        "last_failed_at": "2027-01-02T03:04:06.5Z", "worker": "w-9", "version": "9.9.9", "host": {"rack": 4},
        "origin": {"exchange": "e", "routing_key": "post", "queue": "q", "vhost": "/"}, "replays": 2,
    });
    let table = headers(&[(FAILURE_HEADER, AMQPValue::LongString(failure.to_string().into()))]);
    let properties = BasicProperties::default().with_message_id(post.id.to_string().into()).with_headers(table);
    publish(&ground, ground.topology().dead_letter_exchange(), properties, &post.to_body()).await;
    let dead_letter = ground.dead_letters().await.remove(0);
    assert_eq!((dead_letter.class, dead_letter.code.as_str()), (Class::Unknown, "policy_7"));
    assert_eq!((dead_letter.message.as_str(), dead_letter.worker.as_str()), ("waits for a lawyer", "w-9"));
    assert_eq!((dead_letter.attempts, dead_letter.replays), (3, 2));
    assert_eq!(dead_letter.title.as_deref(), Some("from the future"));
}

#[tokio::test]
async fn a_worker_goes_on_beside_a_schema_that_is_newer_than_itself() {
    let ground = Ground::new().await;
    let old = worker(&ground, &["--name", "old"]).await;
    // As a newer version brings it up while the older one works.
    let history = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) \
                   VALUES (99, 'languages', '2027-01-01T00:00:00Z', '1')";
    ground.sql("ALTER TABLE posts ADD COLUMN language VARCHAR(8) NOT NULL DEFAULT 'en' AFTER title").await;
    ground.sql(history).await;
    let first = posts(&ground, 20, "beside");
    ground.publish(&first).await;
    all_stored(&ground, &first).await;
    drop(old);
    for mode in ["auto", "off"] {
        let mut worker = start(&ground.environment(), &["--migrate", mode]);
        worker.says("consuming", 1).await;
        let post = ground.post(mode);
        ground.publish(std::slice::from_ref(&post)).await;
        stored(&ground, post.id).await;
        assert!(worker.stop().await.success(), "{mode}: {}", worker.said());
    }
    assert_eq!(number(&ground, "SELECT MAX(version) FROM refinery_schema_history").await, 99, "it is left alone");
    assert_eq!(ground.dead().await.ready, 0);
}
