//! A connection whose end nobody answers is given up, with its socket, long before a heartbeat would miss anything.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sluice_lab::testing::{Ground, Proxy, eventually};
use sluice_rabbit::broker::{Broker, close};

/// What the wire gives the broker, which is 5 s at the end and 6 s at the beginning, and a while for the machine.
const SOON: Duration = Duration::from_secs(15);

/// How many sockets to this address a process still has: what the kernel keeps without an owner has the inode 0.
fn sockets(to: SocketAddr) -> usize {
    let table = std::fs::read_to_string("/proc/self/net/tcp").expect("a table of sockets");
    let remote = format!(":{:04X}", to.port());
    let owned = |line: &&str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        columns[2].ends_with(&remote) && columns[9] != "0"
    };
    table.lines().skip(1).filter(owned).count()
}

/// The broker by way of the proxy, with a heartbeat that would be missed after two minutes only.
fn patient(ground: &Ground, proxy: &Proxy) -> Broker {
    let mut args = ground.broker_args();
    args.amqp_url = format!("{}?heartbeat=60", ground.amqp_url_via(proxy.addr())).as_str().into();
    Broker::new(&args, "test").expect("a valid address")
}

async fn gone(proxy: &Proxy, since: Instant) {
    eventually("the socket to be gone", async || match sockets(proxy.addr()) {
        0 => Ok(()),
        some => Err(some),
    })
    .await;
    assert!(since.elapsed() < SOON, "after {:?}", since.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_not_answered_any_more_is_gone_in_seconds_whether_it_was_closed_or_dropped() {
    let ground = Ground::new().await;
    for orderly in [true, false] {
        let proxy = Proxy::start(ground.broker_address()).expect("a free port");
        let connection = patient(&ground, &proxy).connect().await.expect("the test broker answers");
        // A channel whose own end is not answered would keep a connection open that is only dropped.
        let channel = connection.create_channel().await.expect("a channel");
        channel.close(200, "done".into()).await.expect("the broker answers");
        drop(channel);
        assert_eq!(sockets(proxy.addr()), 1);
        proxy.freeze();
        let begun = Instant::now();
        if orderly {
            close(&connection).await;
        }
        drop(connection);
        gone(&proxy, begun).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_answered_ends_at_once() {
    let ground = Ground::new().await;
    let proxy = Proxy::start(ground.broker_address()).expect("a free port");
    let connection = patient(&ground, &proxy).connect().await.expect("the test broker answers");
    let begun = Instant::now();
    close(&connection).await;
    gone(&proxy, begun).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "after {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_never_comes_about_is_gone_in_seconds() {
    let ground = Ground::new().await;
    let proxy = Proxy::start(ground.broker_address()).expect("a free port");
    proxy.freeze();
    let begun = Instant::now();
    let refused = patient(&ground, &proxy).connect().await.expect_err("nothing passes");
    assert_eq!(refused.failure.code, "amqp_timeout");
    gone(&proxy, begun).await;
}
