//! Messages that RabbitMQ takes and the AMQP library cannot read, as strangers with a client of their own may send
//! them.

mod support;

use lapin::ExchangeKind;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions};
use lapin::types::FieldTable;
use sluice_core::disposition::Class;
use sluice_lab::testing::{Ground, Strange, Stranger};
use sluice_rabbit::topology::ROUTING_KEY;
use support::{dead, stored, waiting, worker};

/// An exchange by which any routing key leads to the work queue. It goes away with the queue.
async fn open_door(ground: &Ground) -> String {
    let door = format!("{}_open_door", ground.name);
    let connection = ground.connect().await;
    let channel = connection.create_channel().await.expect("a channel");
    let options = ExchangeDeclareOptions { auto_delete: true, ..ExchangeDeclareOptions::default() };
    let declare = channel.exchange_declare(door.as_str().into(), ExchangeKind::Fanout, options, FieldTable::default());
    declare.await.expect("a fresh name");
    let (queue, options) = (ground.topology().queue(), QueueBindOptions::default());
    let bind = channel.queue_bind(queue.into(), door.as_str().into(), "".into(), options, FieldTable::default());
    bind.await.expect("a binding");
    sluice_rabbit::broker::close(&connection).await;
    door
}

#[tokio::test]
async fn messages_that_the_library_cannot_read_end_no_session_and_are_dead_lettered_beside_posts_that_are_stored() {
    let ground = Ground::new().await;
    let mut worker = worker(&ground, &["--retry-base", "20ms", "--concurrency", "4"]).await;
    let (exchange, door) = (ground.topology().exchange(), open_door(&ground).await);
    let mut stranger = Stranger::connect(&ground.amqp_url).await;
    let hidden = ground.post("a post in a wrapping that nobody can read");
    let key = ROUTING_KEY.as_bytes();
    let strange = [
        (&exchange, key, Strange::named(b"\xff\xfe", b"an id")),
        (&exchange, key, Strange::with_header(b"\xc3\x28", b"a header's name")),
        (&exchange, key, Strange::nested(2000, b"tables in tables")),
        (&door, &b"\xff\xff"[..], Strange { body: b"a routing key".to_vec(), ..Strange::default() }),
        (&exchange, key, Strange::nested(2000, &hidden.to_body())),
    ];
    let mut neighbours = vec![hidden];
    for (exchange, key, message) in &strange {
        for title in ["a neighbour before", "a neighbour after"] {
            let neighbour = ground.post(title);
            ground.publish(std::slice::from_ref(&neighbour)).await;
            neighbours.push(neighbour);
            stranger.publish(exchange, key, message).await;
        }
    }
    stranger.close().await;
    for neighbour in &neighbours {
        stored(&ground, neighbour.id).await;
    }
    // Twice each, but for the one that is a post.
    dead(&ground, 8).await;
    waiting(&ground, 0).await;
    assert!(worker.stop().await.success(), "{}", worker.said());
    for trouble in ["session with RabbitMQ ended", "parse", "panicked at"] {
        assert!(!worker.said().contains(trouble), "{trouble}: {}", worker.said());
    }
    for dead_letter in ground.dead_letters().await {
        assert!(dead_letter.class == Class::Permanent && !dead_letter.message.is_empty(), "{dead_letter:?}");
    }
}
