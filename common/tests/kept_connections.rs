//! A statement does not cost the opening of a connection: the one before has left its own.

#![cfg(feature = "testing")]

use std::collections::BTreeSet;
use std::net::SocketAddr;

use common::config::DatabaseArgs;
use common::store::Store;
use common::testing::{Ground, Proxy};

/// The local ends of this process's open sockets to an address, as the kernel writes them.
fn sockets(to: SocketAddr) -> BTreeSet<String> {
    const ESTABLISHED: &str = "01";
    let table = std::fs::read_to_string("/proc/self/net/tcp").expect("a table of sockets");
    let remote = format!(":{:04X}", to.port());
    let columns = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let ours = columns.filter(|columns| columns[2].ends_with(&remote) && columns[3] == ESTABLISHED);
    ours.map(|columns| columns[1].to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_one_after_the_other_share_a_connection() {
    let ground = Ground::new().await;
    let proxy = Proxy::start(ground.database_address()).expect("a free port");
    let url = ground.database_url_via(proxy.addr());
    let store = Store::new(&DatabaseArgs { database_url: url.as_str().into() }).expect("a good address");
    ground.store().migrate().await.expect("a database of our own");
    let mut seen = BTreeSet::new();
    for _ in 0..10 {
        store.count_by_verdict().await.expect("the test database answers");
        let open = sockets(proxy.addr());
        assert_eq!(open.len(), 1, "the connection stays: {open:?}");
        seen.extend(open);
    }
    assert_eq!(seen.len(), 1, "connections that were used: {seen:?}");
}
