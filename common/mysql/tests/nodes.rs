//! An address with several nodes: one is used, and the next as soon as that cannot be.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use sluice_core::config::DatabaseArgs;
use sluice_core::post::PostId;
use sluice_lab::devstack::{Stack, StackOptions};
use sluice_lab::testing::{Ground, Proxy};
use sluice_mysql::{PATIENCE, Store};

/// A statement that is given up, the wait for another node, and a busy machine.
const SOON: Duration = Duration::from_secs(10);

/// What happens to a node, and how.
type Break = (&'static str, fn(&Proxy));

/// The database by way of these.
fn store(ground: &Ground, nodes: &[String]) -> Store {
    let one = ground.database_address();
    let url = ground.database_url_via(one).replace(&one.to_string(), &nodes.join(","));
    Store::new(&DatabaseArgs { database_url: url.as_str().into() }).expect("a good address")
}

fn addresses(nodes: &[Proxy]) -> Vec<String> {
    nodes.iter().map(|node| node.addr().to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_node_is_gone_or_hangs_a_statement_succeeds_on_another() {
    let ground = Ground::new().await;
    ground.store().migrate().await.expect("a database of our own");
    let nodes: [Proxy; 3] = std::array::from_fn(|_| Proxy::start(ground.database_address()).expect("a free port"));
    let breaks: [Break; 2] = [("hangs", Proxy::freeze), ("is gone", Proxy::cut)];
    for (what, break_it) in breaks {
        // Whichever of them it begins with.
        for node in &nodes {
            break_it(node);
            let one = store(&ground, &addresses(&nodes));
            one.post(PostId::new()).await.expect("another answers at once");
            let another = store(&ground, &addresses(&nodes));
            another.create_database().await.expect("another takes a statement without a database too");
            node.heal();
        }
        let store = store(&ground, &addresses(&nodes));
        store.post(PostId::new()).await.expect("all answer");
        for node in &nodes {
            break_it(node);
            let begun = Instant::now();
            // On a connection that there is, the first one notices.
            while let Err(failure) = store.post(PostId::new()).await {
                assert!(begun.elapsed() < SOON, "{what}: {failure:?}");
            }
            println!("{what}: {:.2?}", begun.elapsed());
            node.heal();
        }
    }
    nodes.iter().for_each(Proxy::cut);
    let store = store(&ground, &addresses(&nodes));
    let begun = Instant::now();
    store.post(PostId::new()).await.expect_err("none is left");
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_read_only_is_not_used_as_long_as_another_can_be_written_to() {
    let ground = Ground::new().await;
    let other = Stack::start(StackOptions::default()).await.expect("private servers");
    let mut admin = mysql_async::Conn::new(mysql_async::Opts::from_url(&other.database_url("")).expect("an address"))
        .await
        .expect("it answers");
    // The same user, password and database as in the address.
    let url = url::Url::parse(&ground.database_url_via(ground.database_address())).expect("an address");
    let password = url.password().unwrap_or_default();
    for statement in [
        format!("CREATE DATABASE {}", ground.name),
        format!("ALTER USER CURRENT_USER() IDENTIFIED BY '{password}'"),
        "SET GLOBAL read_only = 1".to_owned(),
    ] {
        admin.query_drop(statement).await.expect("the statement is valid");
    }
    let copy = format!("127.0.0.1:{}", other.database().port());
    let nodes = [copy, ground.database_address().to_string()];
    store(&ground, &nodes).migrate().await.expect("a database of our own");
    for _ in 0..8 {
        // The copy has no table of posts.
        store(&ground, &nodes).post(PostId::new()).await.expect("the node that can be written to answers");
    }
}
