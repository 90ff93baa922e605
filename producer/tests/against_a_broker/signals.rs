//! The end of the front door in the middle of its work: asked for, and not.

use common::testing::in_time;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::storm::Storm;
use crate::support::{Ground, Server, ended, ids, until};

#[tokio::test(flavor = "multi_thread")]
async fn requests_under_way_are_answered_when_it_is_told_to_stop_whatever_the_broker_does() {
    for heals in [true, false] {
        let ground = Ground::new();
        let (proxy, url) = ground.proxied();
        let server = ground.serve_with(&[], &[("AMQP_URL", &url)]).await;
        let storm = Storm::begin(&server, 32);
        storm.accepts(100).await;
        proxy.freeze();
        storm.hangs().await;
        let (told, before) = (Instant::now(), storm.book().len());
        server.program.signal(Signal::SIGTERM);
        server.program.says("stopping", 1).await;
        if heals {
            proxy.heal();
        }
        assert_eq!(ended(server.program).await.code, Some(0));
        let took = told.elapsed();
        in_time("its end", took, Duration::from_secs(7));
        let answers = || {
            let book = storm.book();
            book[before..].iter().filter(|answer| answer.asked < told).cloned().collect::<Vec<_>>()
        };
        // The last ones may still be on their way from the socket to the book.
        until("each of the 32 requests under way has come to an end", async || answers().len() == 32).await;
        let answers = answers();
        let expected = if heals { 202 } else { 503 };
        assert!(answers.iter().all(|answer| answer.status == expected), "{answers:?}");
        println!("heals: {heals}; 32 answers, ended {took:?} after SIGTERM");
        let accepted = storm.end().await;
        proxy.heal();
        let found = ids(&ground.take_all().await);
        assert!(accepted.iter().all(|id| found.binary_search(id).is_ok()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn senders_that_try_again_after_sigkill_lose_nothing() {
    let ground = Ground::new();
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let serve = async || {
        let at = port.to_string();
        Server::ready(ground.start(&["serve", "--listen", &at, "--log-format", "json"], &[])).await
    };
    let mut server = serve().await;
    let storm = Storm::begin(&server, 32);
    for _ in 0..3 {
        storm.accepts(100).await;
        server.program.kill().await;
        server = serve().await;
        storm.accepts_after(Instant::now()).await;
    }
    let cut_off = storm.book().iter().filter(|answer| answer.status == 0).count();
    let accepted = storm.end().await;
    println!("{} accepted, {cut_off} requests got no answer", accepted.len());
    assert!(cut_off > 0, "nobody was hit");
    let found = ids(&ground.take_all().await);
    let lost: Vec<_> = accepted.iter().filter(|id| found.binary_search(id).is_err()).collect();
    assert!(lost.is_empty(), "{lost:?}");
}
