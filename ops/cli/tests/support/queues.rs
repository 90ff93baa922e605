//! What a test puts into the queues of its ground, and how much is there.

use lapin::options::{BasicGetOptions, BasicPublishOptions, BasicRejectOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Confirmation};
use sluice_core::dead_letter::FAILURE_HEADER;
use sluice_core::post::Post;
use sluice_lab::testing::eventually;
use sluice_rabbit::topology::ROUTING_KEY;

use super::Ground;
use super::dead::Dead;
use super::ran::until;

impl Ground {
    /// Publishes, and makes sure that a queue has it.
    pub async fn publish(&self, exchange: &str, body: &[u8], properties: BasicProperties) {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let properties = properties.with_delivery_mode(2);
        // RabbitMQ 4.3 may not route to a queue yet that it has just declared. What comes back is in no queue.
        eventually("the message to be routed", async || {
            let (exchange, key) = (exchange.into(), ROUTING_KEY.into());
            let sent = self.channel.basic_publish(exchange, key, options, body, properties.clone());
            match sent.await.expect("it is sent").await.expect("it is confirmed") {
                Confirmation::Ack(None) => Ok(()),
                Confirmation::Ack(Some(_)) => Err("it was returned"),
                other => panic!("{other:?}"),
            }
        })
        .await;
    }

    /// Dead letters as a worker sets them aside, in this order.
    pub async fn dead(&self, dead_letters: &[Dead]) {
        for dead_letter in dead_letters {
            let mut headers = FieldTable::default();
            let record = dead_letter.record(&self.topology).to_header();
            headers.insert(FAILURE_HEADER.into(), AMQPValue::LongString(record.into()));
            let properties =
                BasicProperties::default().with_message_id(dead_letter.id.to_string().into()).with_headers(headers);
            self.publish(&self.topology.dead_letter_exchange(), &dead_letter.post().to_body(), properties).await;
        }
        self.until_dead(dead_letters.len()).await;
    }

    /// A dead letter that a stranger put among the dead ones.
    pub async fn foreign(&self, body: &[u8], message_id: Option<&str>) {
        let mut properties = BasicProperties::default();
        if let Some(id) = message_id {
            properties = properties.with_message_id(id.into());
        }
        self.publish(&self.topology.dead_letter_exchange(), body, properties).await;
    }

    /// A post that the broker itself dead-letters, because a consumer rejects it.
    pub async fn rejected(&self, post: &Post) {
        let before = self.dead_letters().await;
        self.submit(post).await;
        let options = BasicGetOptions { no_ack: false };
        let got = self.channel.basic_get(self.topology.queue().into(), options).await.expect("the broker answers");
        let acker = got.expect("the post waits").delivery.acker;
        acker.reject(BasicRejectOptions { requeue: false }).await.expect("it is rejected");
        self.until_dead(before + 1).await;
    }

    /// A post that the broker itself dead-letters, because its time is over.
    pub async fn expired(&self, post: &Post) {
        let before = self.dead_letters().await;
        let properties = BasicProperties::default().with_message_id(post.id.to_string().into());
        let properties = properties.with_expiration("1".into());
        self.publish(&self.topology.exchange(), &post.to_body(), properties).await;
        self.until_dead(before + 1).await;
    }

    /// A post for the workers.
    pub async fn submit(&self, post: &Post) {
        let properties = BasicProperties::default().with_message_id(post.id.to_string().into());
        self.publish(&self.topology.exchange(), &post.to_body(), properties).await;
    }

    /// Posts waiting for workers.
    pub async fn queued(&self) -> usize {
        self.topology.queue_depth(&self.connection).await.expect("the queue is there").ready as usize
    }

    /// Dead letters that are unacknowledged by nobody.
    pub async fn dead_letters(&self) -> usize {
        self.topology.dead_letter_depth(&self.connection).await.expect("the queue is there").ready as usize
    }

    /// Waits until at least so many are there.
    pub async fn until_dead(&self, dead_letters: usize) {
        until("the dead letters are there", async || self.dead_letters().await >= dead_letters).await;
    }
}
