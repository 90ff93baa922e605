//! The end of the front door in the middle of its work: asked for, and not.

use sluice_lab::testing::{Program, in_time};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::storm::Storm;
use crate::support::{Ground, PROGRAM, Server, ended, ids, until};

#[tokio::test(flavor = "multi_thread")]
async fn requests_under_way_are_answered_when_it_is_told_to_stop_whatever_the_broker_does() {
    for heals in [true, false] {
        let mut tries = 0;
        while !stopped_in_the_midst(heals).await {
            tries += 1;
            assert!(tries < 4, "the broker never came back in time");
        }
    }
}

/// For so long a request surely waits for the broker: it gives up after two seconds.
const WAITS: Duration = Duration::from_millis(1500);

/// Stops a server whose broker hangs, and comes back or not. Whether it came back while the requests under way still
/// waited for it: on a busy machine it may take too long until this test goes on.
async fn stopped_in_the_midst(heals: bool) -> bool {
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
    let healed = Instant::now();
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
    let in_the_midst = !heals || answers.iter().all(|answer| healed - answer.asked < WAITS);
    let expected = if heals { 202 } else { 503 };
    assert!(!in_the_midst || answers.iter().all(|answer| answer.status == expected), "{answers:?}");
    println!("heals: {heals}; 32 answers, ended {took:?} after SIGTERM");
    let accepted = storm.end().await;
    proxy.heal();
    let found = ids(&ground.take_all().await);
    assert!(accepted.iter().all(|id| found.binary_search(id).is_ok()));
    in_the_midst
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

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_does_not_end_the_server_and_ends_a_command_in_order_unless_it_was_to_outlive_its_terminal() {
    let ground = Ground::new();
    let server = ground.serve().await;
    server.program.signal(Signal::SIGHUP);
    server.program.says("SIGHUP", 1).await;
    assert_eq!(server.submit("after it").await.status, 202);

    let generate = ["generate", "--rate", "50", "--receipts", "/dev/stdout"];
    let command = ground.start(&generate, &[]);
    command.says("-", 3).await;
    command.signal(Signal::SIGHUP);
    let end = ended(command).await;
    assert!(end.code == Some(0) && end.said.contains("published"), "{:?}: {}", end.code, end.said);

    let shell = ["-c", "trap '' HUP; exec \"$0\" \"$@\"", PROGRAM];
    let lasting = Program::start("/bin/sh", &[&shell, &generate[..]].concat(), &ground.environment());
    lasting.says("-", 3).await;
    lasting.signal(Signal::SIGHUP);
    let before = lasting.said().lines().count();
    until("it goes on", async || lasting.said().lines().count() > before + 5).await;
    lasting.signal(Signal::SIGTERM);
    assert_eq!(ended(lasting).await.code, Some(0));
}
