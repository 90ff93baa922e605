//! A message that the broker refuses costs the others of its batch nothing.

use std::time::Duration;

use sluice_lab::testing::{Ground, Proxy, eventually};
use sluice_rabbit::broker::Broker;
use sluice_rabbit::publisher::{Envelope, PublishError, Publisher};

const BATCH: usize = 40;
const REFUSED: usize = 7;
/// Enough for one message over the slow line, and by far not for all of them one after the other.
const PATIENCE: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn those_that_share_a_batch_with_a_refused_message_have_each_their_own_time_on_a_slow_line() {
    let ground = Ground::new().await;
    ground.declare().await;
    let topology = ground.topology();
    let line = Proxy::start(ground.broker_address()).expect("a free port");
    let mut args = ground.broker_args();
    args.amqp_url = ground.amqp_url_via(line.addr()).as_str().into();
    let broker = Broker::new(&args, "test").expect("a valid address");
    let publisher = Publisher::new(&broker, &topology, PATIENCE).expect("a pool");
    let mut batch: Vec<_> = (0..BATCH).map(|_| Envelope::post(&topology, &ground.post("one of many"))).collect();
    // Which RabbitMQ answers as it does a message that is larger than it takes: it closes the channel.
    batch[REFUSED].properties = batch[REFUSED].properties.clone().with_expiration("soon".into());
    // RabbitMQ 4.3 may not route to a queue yet that it has just declared.
    eventually("the broker to take a post", async || publisher.publish_batch(&batch[..1]).await.remove(0)).await;
    line.delay(Duration::from_millis(50));
    for (place, answer) in publisher.publish_batch(&batch).await.into_iter().enumerate() {
        match answer {
            Err(PublishError::Refused(why)) if place == REFUSED => assert!(why.contains("expiration"), "{why}"),
            answer => assert_eq!((place, answer), (place, Ok(()))),
        }
    }
}
