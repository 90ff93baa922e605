//! A statement does not cost the opening of a connection: those before have left theirs.

use sluice_core::config::DatabaseArgs;
use sluice_lab::testing::{Ground, Proxy};
use sluice_mysql::{CONNECTIONS, Store};

/// Far more than a store may open connections.
const STATEMENTS: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn statements_one_after_the_other_open_no_more_connections_than_a_store_may_hold() {
    let ground = Ground::new().await;
    let proxy = Proxy::start(ground.database_address()).expect("a free port");
    let url = ground.database_url_via(proxy.addr());
    let store = Store::new(&DatabaseArgs { database_url: url.as_str().into() }).expect("a good address");
    ground.store().migrate().await.expect("a database of our own");
    for _ in 0..STATEMENTS {
        store.count_by_verdict().await.expect("the test database answers");
    }
    // Not one: the driver takes a connection back in a task of its own, so a statement that comes at once may find none
    // and open another. Once there are a few, one of them is always free.
    let opened = proxy.accepted();
    assert!((1..=CONNECTIONS).contains(&opened), "{STATEMENTS} statements opened {opened} connections");
}
