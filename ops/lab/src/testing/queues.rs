//! What a test's ground has in RabbitMQ: its queues, what goes into them and what is in them.

use std::time::Duration;

use lapin::BasicProperties;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use sluice_core::post::Post;
use sluice_rabbit::broker::close;
use sluice_rabbit::dead_letters::{DeadLetterBrowser, DeadLetterSummary};
use sluice_rabbit::publisher::Envelope;
use sluice_rabbit::topology::Depth;

use super::eventually;
use super::ground::Ground;

impl Ground {
    /// Declares the queues.
    pub async fn declare(&self) {
        let connection = self.connect().await;
        self.topology().declare(&connection).await.expect("the topology can be declared");
        close(&connection).await;
    }

    /// A connection of the library's, for what only a stranger would do.
    pub async fn connect(&self) -> lapin::Connection {
        self.broker().connect().await.expect("the test broker answers")
    }

    /// Publishes posts to the queue as the producer would.
    pub async fn publish(&self, posts: &[Post]) {
        self.send(posts.iter().map(|post| Envelope::post(&self.topology(), post))).await;
    }

    /// Publishes any bodies to the queue, with these message ids, and waits for the confirms.
    pub async fn publish_raw(&self, messages: &[(Option<String>, Vec<u8>)]) {
        let envelopes = messages.iter().map(|(id, body)| {
            let properties = match id {
                Some(id) => BasicProperties::default().with_message_id(id.as_str().into()),
                None => BasicProperties::default(),
            };
            Envelope::new(self.topology().exchange(), properties, body.clone())
        });
        self.send(envelopes).await;
    }

    async fn send(&self, envelopes: impl Iterator<Item = Envelope>) {
        let connection = self.connect().await;
        let channel = connection.create_channel().await.expect("a channel");
        channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
        for Envelope { exchange, routing_key, properties, body } in envelopes {
            let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            // RabbitMQ 4.3 may not route to a queue yet that it has just declared. What comes back is in no queue.
            eventually("the message to be routed", async || {
                let (exchange, key) = (exchange.as_str().into(), routing_key.as_str().into());
                let publish = channel.basic_publish(exchange, key, options, &body, properties.clone());
                let confirm = publish.await.expect("the publish is sent").await.expect("the publish is confirmed");
                if confirm.is_ack() && confirm.take_message().is_none() { Ok(()) } else { Err("it was returned") }
            })
            .await;
        }
        close(&connection).await;
    }

    /// What waits in the work queue.
    pub async fn depth(&self) -> Depth {
        let connection = self.connect().await;
        let depth = self.topology().queue_depth(&connection).await.expect("the queue is there");
        close(&connection).await;
        depth
    }

    /// What waits in the dead-letter queue.
    pub async fn dead(&self) -> Depth {
        let connection = self.connect().await;
        let depth = self.topology().dead_letter_depth(&connection).await.expect("the queue is there");
        close(&connection).await;
        depth
    }

    /// The dead letters, oldest first; they stay where they are.
    pub async fn dead_letters(&self) -> Vec<DeadLetterSummary> {
        let patience = Duration::from_secs(10);
        let mut dead_letters = DeadLetterBrowser::open(&self.broker(), &self.topology(), patience, || ())
            .await
            .expect("the dead letters can be seen");
        let mut seen = Vec::new();
        while let Some(dead_letter) = dead_letters.next().await.expect("a dead letter") {
            seen.push(dead_letter.summary.clone());
        }
        dead_letters.put_back().await.expect("the dead letters are put back");
        seen
    }
}
