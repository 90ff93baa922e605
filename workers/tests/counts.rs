//! Which counts of deliveries are believed: the broker's own, and no other that a message brings along.

mod support;

use std::time::Duration;

use lapin::BasicProperties;
use lapin::options::{BasicAckOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use sluice_core::disposition::Class;
use sluice_core::post::Post;
use sluice_lab::testing::{Ground, eventually};
use sluice_rabbit::dead_letters::DeadLetterBrowser;
use sluice_rabbit::topology::ROUTING_KEY;
use support::{dead, start, stored, waiting, worker};

/// More looks than a worker lets a post come back.
const LOOKS: usize = 6;
/// The header in which the broker counts.
const COUNT: &str = "x-delivery-count";

/// A channel with confirms, of a program that is not ours.
async fn channel(connection: &lapin::Connection) -> lapin::Channel {
    let channel = connection.create_channel().await.expect("a channel");
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
    channel
}

async fn publish(ground: &Ground, channel: &lapin::Channel, body: &[u8], properties: BasicProperties) {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    // RabbitMQ 4.3 may not route to a queue yet that it has just declared. What comes back is in no queue.
    eventually("it to be routed", async || {
        let exchange = ground.topology().exchange();
        let publish = channel.basic_publish(exchange.into(), ROUTING_KEY.into(), options, body, properties.clone());
        let confirm = publish.await.expect("it is sent").await.expect("it is confirmed");
        if confirm.is_ack() && confirm.take_message().is_none() { Ok(()) } else { Err("it was returned") }
    })
    .await;
}

fn counted(times: i64) -> FieldTable {
    let mut headers = FieldTable::default();
    headers.insert(COUNT.into(), AMQPValue::LongLongInt(times));
    headers
}

/// Publishes a post with a count that its sender has made up.
async fn publish_counted(ground: &Ground, post: &Post, times: i64) {
    let connection = ground.connect().await;
    let properties = BasicProperties::default().with_message_id(post.id.to_string().into());
    publish(ground, &channel(&connection).await, &post.to_body(), properties.with_headers(counted(times))).await;
    sluice_rabbit::broker::close(&connection).await;
}

/// Moves the one dead letter to the work queue with all that it has, as a shovel does, or the management pages.
async fn move_back(ground: &Ground) -> FieldTable {
    let connection = ground.connect().await;
    let channel = channel(&connection).await;
    let queue = ground.topology().dead_letter_queue();
    let got = channel.basic_get(queue.into(), BasicGetOptions::default()).await.expect("it is asked");
    let dead_letter = got.expect("a dead letter").delivery;
    let headers = dead_letter.properties.headers().clone().unwrap_or_default();
    publish(ground, &channel, &dead_letter.data, dead_letter.properties.clone()).await;
    dead_letter.acker.ack(BasicAckOptions::default()).await.expect("it is taken out");
    sluice_rabbit::broker::close(&connection).await;
    headers
}

async fn look_often(ground: &Ground) {
    for _ in 0..LOOKS {
        assert_eq!(ground.dead_letters().await.len(), 1);
    }
}

#[tokio::test]
async fn a_count_that_a_sender_made_up_costs_a_post_nothing() {
    let ground = Ground::new().await;
    let _worker = worker(&ground, &[]).await;
    let post = ground.post("counted by its sender");
    publish_counted(&ground, &post, 100).await;
    assert_eq!(stored(&ground, post.id).await.attempts, 1);
    assert_eq!(ground.dead().await.ready, 0);
}

#[tokio::test]
async fn a_count_that_a_sender_made_up_is_not_believed_once_the_post_was_given_back_or_its_worker_killed() {
    let ground = Ground::new().await;
    let mut first = worker(&ground, &["--drain", "500ms"]).await;
    let post = ground.post("counted by its sender, and held up");
    ground.sql("RENAME TABLE posts TO posts_away").await;
    publish_counted(&ground, &post, 100).await;
    first.says("paused: mysql", 1).await;
    assert!(first.stop().await.success());
    waiting(&ground, 1).await;
    let mut second = start(&ground.environment(), &[]);
    second.says("paused: mysql", 1).await;
    waiting(&ground, 0).await;
    second.kill().await;
    waiting(&ground, 1).await;
    ground.sql("RENAME TABLE posts_away TO posts").await;
    let _third = worker(&ground, &[]).await;
    assert_eq!(stored(&ground, post.id).await.attempts, 1);
    assert_eq!(ground.dead().await.ready, 0);
}

#[tokio::test]
async fn a_dead_letter_that_was_looked_at_often_and_moved_back_by_the_brokers_own_means_is_stored() {
    let ground = Ground::new().await;
    let _worker = worker(&ground, &[]).await;
    ground.sql("ALTER TABLE posts ADD CONSTRAINT no_cats CHECK (title NOT LIKE '%cat%')").await;
    let post = ground.post("my cat");
    ground.publish(std::slice::from_ref(&post)).await;
    dead(&ground, 1).await;
    look_often(&ground).await;
    ground.sql("ALTER TABLE posts DROP CONSTRAINT no_cats").await;
    move_back(&ground).await;
    assert_eq!(stored(&ground, post.id).await.attempts, 1);
    assert_eq!(ground.dead().await.ready, 0);
}

#[tokio::test]
async fn a_dead_letter_that_was_moved_back_and_dies_again_says_why_it_died_both_times() {
    let ground = Ground::new().await;
    let _worker = worker(&ground, &[]).await;
    ground.sql("ALTER TABLE posts ADD CONSTRAINT no_cats CHECK (title NOT LIKE '%cat%')").await;
    let post = ground.post(&format!("my cat {}", "x".repeat(240)));
    ground.publish(std::slice::from_ref(&post)).await;
    dead(&ground, 1).await;
    let first = ground.dead_letters().await.remove(0);
    look_often(&ground).await;
    ground.sql("ALTER TABLE posts DROP CONSTRAINT no_cats, MODIFY title VARCHAR(100) NOT NULL").await;
    for _ in 0..2 {
        move_back(&ground).await;
        dead(&ground, 1).await;
        look_often(&ground).await;
    }
    let mut dead_letters =
        DeadLetterBrowser::open(&ground.broker(), &ground.topology(), Duration::from_secs(10), || ())
            .await
            .expect("the dead letters can be seen");
    let dead_letter = dead_letters.next().await.expect("the broker answers").expect("a dead letter");
    assert_eq!((dead_letter.summary.class, dead_letter.summary.code.as_str()), (Class::Permanent, "mysql_1406"));
    let earlier = dead_letter.headers()["sluice-earlier-failure"].as_str().expect("the first record").to_owned();
    assert!(earlier.contains(&first.code) && earlier.contains(&first.fingerprint), "{earlier}");
    drop(dead_letter);
    dead_letters.put_back().await.expect("it is put back");
}

#[tokio::test]
async fn a_dead_letter_that_nobody_takes_keeps_its_reason_through_all_workers_that_stop_meanwhile() {
    let ground = Ground::new().await;
    let args = ["--drain", "500ms", "--max-deliveries", "2", "--concurrency", "1"];
    let mut workers = Vec::new();
    for _ in 0..3 {
        workers.push(worker(&ground, &args).await);
    }
    let connection = ground.connect().await;
    let channel = connection.create_channel().await.expect("a channel");
    let gone = ground.topology().dead_letter_exchange();
    channel.exchange_delete(gone.into(), Default::default()).await.expect("the exchange can be deleted");
    let post = ground.post(&"x".repeat(300));
    ground.publish(std::slice::from_ref(&post)).await;
    for round in 0..2 {
        let holder = eventually("a worker with the post in flight", async || {
            let holds = |worker: &sluice_lab::testing::Program| {
                worker.said().contains(
                    "the dead letter could not be \
                                                                                        published",
                )
            };
            workers.iter().position(holds).ok_or(round)
        })
        .await;
        let mut holder = workers.remove(holder);
        assert!(holder.stop().await.success());
    }
    ground.declare().await;
    dead(&ground, 1).await;
    let dead_letter = ground.dead_letters().await.remove(0);
    assert_eq!((dead_letter.id, dead_letter.class), (post.id.to_string(), Class::Permanent));
    sluice_rabbit::broker::close(&connection).await;
}
