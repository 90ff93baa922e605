//! An address with several nodes: what one of them does is no matter as long as another answers.

use std::time::{Duration, Instant};

use sluice_lab::testing::{Ground, Proxy, eventually, in_time};
use sluice_rabbit::broker::{Broker, close};
use sluice_rabbit::publisher::{Envelope, Publisher};

/// What a program waits for a publish.
const PATIENCE: Duration = Duration::from_secs(2);
/// Until the next node is used: a publish that is not confirmed, a node that does not answer, and one that does.
const SOON: Duration = Duration::from_secs(4);

/// What happens to a node, and how.
type Break = (&'static str, fn(&Proxy));

fn proxies<const N: usize>(ground: &Ground) -> [Proxy; N] {
    std::array::from_fn(|_| Proxy::start(ground.broker_address()).expect("a free port"))
}

fn broker(ground: &Ground, nodes: &[Proxy]) -> Broker {
    let one = nodes[0].addr();
    let list: Vec<String> = nodes.iter().map(|node| node.addr().to_string()).collect();
    let mut args = ground.broker_args();
    args.amqp_url = ground.amqp_url_via(one).replace(&one.to_string(), &list.join(",")).as_str().into();
    Broker::new(&args, "test").expect("a valid address")
}

#[tokio::test(flavor = "multi_thread")]
async fn where_one_node_is_gone_and_one_never_answers_the_third_is_used() {
    let ground = Ground::new().await;
    let nodes: [Proxy; 3] = proxies(&ground);
    let broker = broker(&ground, &nodes);
    nodes[0].cut();
    nodes[1].freeze();
    for _ in 0..6 {
        let begun = Instant::now();
        let connection = loop {
            let before = nodes[2].accepted();
            match broker.connect().await {
                Ok(connection) => break connection,
                // On a busy machine the third one may need more than the second that each has at first.
                Err(error) => assert!(nodes[2].accepted() > before, "the third one was not asked: {error}"),
            }
            in_time("a connection", begun.elapsed(), SOON);
        };
        in_time("a connection", begun.elapsed(), SOON);
        close(&connection).await;
    }
    nodes[2].cut();
    let error = broker.connect().await.expect_err("none is left").to_string();
    for node in &nodes {
        assert!(error.contains(&node.addr().to_string()), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_goes_on_by_another_node_when_the_one_in_use_hangs_or_is_gone() {
    let ground = Ground::new().await;
    ground.declare().await;
    let nodes: [Proxy; 2] = proxies(&ground);
    let topology = ground.topology();
    let publisher = Publisher::new(&broker(&ground, &nodes), &topology, PATIENCE).expect("a pool");
    let publish = async |what: &str| {
        let begun = Instant::now();
        let envelope = Envelope::post(&topology, &ground.post(what));
        eventually(what, async || publisher.publish(envelope.clone()).await).await;
        println!("{what}: {:.2?}", begun.elapsed());
        in_time(what, begun.elapsed(), SOON);
    };
    publish("at first").await;
    // One of the two is the one in use.
    let breaks: [Break; 2] = [("hangs", Proxy::freeze), ("is gone", Proxy::cut)];
    for (what, break_it) in breaks {
        for node in &nodes {
            break_it(node);
            publish(what).await;
            node.heal();
        }
    }
}
