//! Several nodes in both addresses: work goes on when the one in use is gone.

use std::time::Duration;

use sluice_lab::testing::{Ground, Proxy, in_time};

use crate::stage::{all_stored, flood, posts};
use crate::support::start;

/// A statement that is given up, a test row on the next node, and a busy machine.
const SOON: Duration = Duration::from_secs(10);

/// What happens, to which nodes, and how.
type Break<'a> = (&'static str, &'a [Proxy], fn(&Proxy));

fn list(url: &str, nodes: &[Proxy]) -> String {
    let list: Vec<String> = nodes.iter().map(|node| node.addr().to_string()).collect();
    url.replace(&list[0], &list.join(","))
}

#[tokio::test]
async fn posts_are_stored_again_within_seconds_when_a_node_of_either_server_is_gone_or_hangs() {
    let ground = Ground::new().await;
    let to = |address| -> [Proxy; 2] { std::array::from_fn(|_| Proxy::start(address).expect("a free port")) };
    let (brokers, databases) = (to(ground.broker_address()), to(ground.database_address()));
    let mut environment = ground.environment();
    for (name, value) in &mut environment {
        match *name {
            "AMQP_URL" => *value = list(&ground.amqp_url_via(brokers[0].addr()), &brokers),
            "DATABASE_URL" => *value = list(&ground.database_url_via(databases[0].addr()), &databases),
            _ => {}
        }
    }
    let worker = start(&environment, &[]);
    worker.says("consuming", 1).await;
    let breaks: [Break; 3] = [
        ("a broker is gone", &brokers, Proxy::cut),
        ("a database is gone", &databases, Proxy::cut),
        ("a database hangs", &databases, Proxy::freeze),
    ];
    for (what, nodes, break_it) in breaks {
        for node in nodes {
            break_it(node);
            let load = posts(&ground, 20, what);
            flood(&ground, &load).await;
            in_time(format!("{what}: stored"), all_stored(&ground, &load).await, SOON);
            node.heal();
        }
    }
    assert_eq!(ground.dead().await.ready, 0, "{}", worker.said());
}
