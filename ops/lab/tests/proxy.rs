//! The proxy passes, delays, freezes, strands and cuts connections.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use sluice_lab::testing::{Proxy, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(60);
/// Long enough for loopback to have passed what it was going to pass.
const A_WHILE: Duration = Duration::from_millis(150);

/// A server that sends back what it gets.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let addr = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    addr
}

async fn proxied() -> (Proxy, TcpStream) {
    let proxy = Proxy::start(echo().await).expect("a free port");
    let client = TcpStream::connect(proxy.addr()).await.expect("the proxy");
    (proxy, client)
}

async fn says_back(client: &mut TcpStream, words: &[u8]) -> io::Result<()> {
    client.write_all(words).await?;
    hears(client, words).await
}

async fn hears(client: &mut TcpStream, words: &[u8]) -> io::Result<()> {
    let mut heard = vec![0; words.len()];
    timeout(SOON, client.read_exact(&mut heard)).await.expect("an answer in time")?;
    assert_eq!(heard, words);
    Ok(())
}

#[tokio::test]
async fn it_passes_both_ways_and_the_end_too() {
    let (_proxy, mut client) = proxied().await;
    let much = vec![7; 100_000];
    let (mut from, mut to) = client.split();
    let mut heard = Vec::new();
    let speak = async {
        to.write_all(&much).await.expect("a proxy that reads");
        to.shutdown().await.expect("a proxy that is there");
    };
    let (_, read) = tokio::join!(speak, timeout(SOON, from.read_to_end(&mut heard)));
    read.expect("the end in time").expect("an orderly end");
    assert_eq!(heard, much);
}

#[tokio::test]
async fn what_is_stranded_stays_so_and_what_comes_after_passes() {
    let (proxy, mut stranded) = proxied().await;
    says_back(&mut stranded, b"one").await.expect("an open proxy");
    proxy.strand();
    proxy.heal();
    stranded.write_all(b"two").await.expect("it is kept open");
    let mut fresh = TcpStream::connect(proxy.addr()).await.expect("the listener stays");
    says_back(&mut fresh, b"three").await.expect("a new connection passes");
    assert!(timeout(A_WHILE, stranded.read_u8()).await.is_err(), "no byte passes");
}

#[tokio::test]
async fn a_cut_resets_what_there_is_and_what_comes_until_it_heals() {
    let (proxy, mut client) = proxied().await;
    says_back(&mut client, b"one").await.expect("an open proxy");
    proxy.cut();
    let error = timeout(SOON, client.read_u8()).await.expect("an end in time").expect_err("a reset");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    let mut refused = TcpStream::connect(proxy.addr()).await.expect("the listener stays");
    assert!(says_back(&mut refused, b"two").await.is_err());
    proxy.heal();
    let mut healed = TcpStream::connect(proxy.addr()).await.expect("the listener stays");
    says_back(&mut healed, b"three").await.expect("a healed proxy");
}

#[tokio::test]
async fn a_cut_that_heals_at_once_still_ends_every_connection() {
    let (proxy, mut client) = proxied().await;
    says_back(&mut client, b"one").await.expect("an open proxy");
    proxy.cut();
    proxy.heal();
    assert!(timeout(SOON, client.read_u8()).await.expect("an end in time").is_err());
}

#[tokio::test]
async fn frozen_it_keeps_connections_and_takes_new_ones_and_passes_nothing() {
    let (proxy, mut client) = proxied().await;
    says_back(&mut client, b"one").await.expect("an open proxy");
    proxy.freeze();
    let mut late = TcpStream::connect(proxy.addr()).await.expect("new ones are taken");
    for client in [&mut client, &mut late] {
        client.write_all(b"two").await.expect("the system takes it");
        assert!(timeout(A_WHILE, client.read_u8()).await.is_err(), "something came through");
    }
    proxy.heal();
    hears(&mut client, b"two").await.expect("what was held back");
    hears(&mut late, b"two").await.expect("what was held back");
}

#[tokio::test]
async fn a_delay_holds_each_chunk_back_both_ways() {
    let (proxy, mut client) = proxied().await;
    proxy.delay(A_WHILE);
    let begun = std::time::Instant::now();
    says_back(&mut client, b"slow").await.expect("an open proxy");
    assert!(begun.elapsed() >= 2 * A_WHILE, "{:?}", begun.elapsed());
    proxy.delay(Duration::ZERO);
    // While there is a delay none comes in less, however often it is tried; without it, a busy machine may take longer.
    eventually("an answer without the delay", async || {
        let begun = std::time::Instant::now();
        says_back(&mut client, b"quick").await.expect("an open proxy");
        let took = begun.elapsed();
        if took < 2 * A_WHILE { Ok(()) } else { Err(took) }
    })
    .await;
}

#[tokio::test]
async fn it_ends_with_its_handle() {
    let (proxy, mut client) = proxied().await;
    says_back(&mut client, b"one").await.expect("an open proxy");
    let addr = proxy.addr();
    drop(proxy);
    let gone = async {
        assert!(matches!(client.read(&mut [0]).await, Ok(0) | Err(_)));
        while TcpStream::connect(addr).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, gone).await.expect("it is gone in time");
}

#[tokio::test]
async fn a_target_that_is_not_there_resets_the_client() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let nowhere = listener.local_addr().expect("its address");
    drop(listener);
    let proxy = Proxy::start(nowhere).expect("a free port");
    let mut client = TcpStream::connect(proxy.addr()).await.expect("the proxy");
    assert!(timeout(SOON, client.read_u8()).await.expect("an end in time").is_err());
}
