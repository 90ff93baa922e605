//! The broker goes away in the middle: nothing is lost, nothing is skipped, and nothing is claimed that is not so.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sluice_lab::testing::{eventually, in_time};
use tokio_util::sync::CancellationToken;

use crate::publish::{many, text};
use crate::storm::Storm;
use crate::support::{Ground, Reply, ended, ids, receipts, until, until_lines};

#[tokio::test(flavor = "multi_thread")]
async fn the_front_door_answers_503_during_an_outage_and_202_after_it() {
    let ground = Ground::new();
    let (proxy, url) = ground.proxied();
    let server = ground.serve_with(&[], &[("AMQP_URL", &url)]).await;
    let mut accepted = HashSet::from([server.submit("before").await.id()]);
    proxy.cut();
    for _ in 0..3 {
        let reply = server.submit("during").await;
        assert_eq!((reply.status, reply.retry_after.as_deref()), (503, Some("1")), "{}", reply.text);
        in_time("an answer", reply.took, Duration::from_secs(2));
        assert_eq!(server.get("/healthz").await.status, 200);
        assert_eq!(server.get("/readyz").await.status, 503);
    }
    proxy.heal();
    until("it is ready", async || server.get("/readyz").await.status == 200).await;
    let after = server.submit("after").await;
    assert_eq!(after.status, 202, "{}", after.text);
    accepted.insert(after.id());
    let found: HashSet<_> = ids(&ground.take_all().await).into_iter().collect();
    assert!(accepted.is_subset(&found), "{accepted:?} were accepted, {found:?} are there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_hangs_costs_a_client_two_seconds_and_no_more() {
    let ground = Ground::new();
    let (proxy, url) = ground.proxied();
    let server = ground.serve_with(&[], &[("AMQP_URL", &url)]).await;
    assert_eq!(server.submit("before").await.status, 202);
    proxy.freeze();
    for _ in 0..2 {
        let reply = server.submit("during").await;
        assert_eq!((reply.status, reply.retry_after.as_deref()), (503, Some("1")), "{}", reply.text);
        in_time("an answer", reply.took, Duration::from_secs(2));
        assert!(!reply.id().is_empty(), "whoever tries again needs the id");
    }
    let batch = server.post("/posts/batch", "application/x-ndjson", many(1000));
    let batch = Reply::of(batch).await;
    assert_eq!(batch.text.matches(r#""status":503"#).count(), 1000);
    in_time("a batch of which no chunk waits for another", batch.took, Duration::from_secs(2));
    proxy.heal();
    until("posts are accepted again", async || server.submit("after").await.status == 202).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_post_that_was_never_sent_nobody_says_that_it_may_be_queued() {
    let ground = Ground::new();
    let (proxy, url) = ground.proxied();
    let server = ground.serve_with(&[], &[("AMQP_URL", &format!("{url}?heartbeat=60"))]).await;
    assert_eq!(server.submit("before").await.status, 202);
    proxy.freeze();
    let storm = Storm::begin(&server, 16);
    // The first ones are sent on connections that were there. They are given up, and there are no others.
    eventually("every sender to hear twice that the broker is unreachable", async || {
        let heard: Vec<String> = storm.book().iter().rev().take(32).map(|answer| answer.problem.clone()).collect();
        let unreachable = heard.iter().filter(|problem| *problem == "broker-unreachable").count();
        if unreachable == 32 { Ok(()) } else { Err(heard) }
    })
    .await;
    proxy.heal();
    storm.accepts(1).await;
    storm.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_fall_silent_for_good_are_given_up_before_a_heartbeat_tells() {
    let ground = Ground::new();
    let (proxy, url) = ground.proxied();
    let server = ground.serve_with(&[], &[("AMQP_URL", &format!("{url}?heartbeat=60"))]).await;
    let storm = Storm::begin(&server, 16);
    storm.accepts(200).await;
    proxy.strand();
    // Two connections, and two seconds for each to be found out.
    let took = storm.accepts_after(Instant::now()).await;
    in_time("posts are accepted again", took, Duration::from_secs(7));
    storm.end().await;
    eventually("the silent connections to be gone", async || match open_to(proxy.addr()) {
        few @ 0..=2 => Ok(few),
        many => Err(many),
    })
    .await;
}

/// How many sockets to this address some process still has: what the kernel keeps without an owner has the inode 0.
fn open_to(addr: SocketAddr) -> usize {
    let table = std::fs::read_to_string("/proc/self/net/tcp").expect("a table of sockets");
    let remote = format!(":{:04X}", addr.port());
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|columns| columns[2].ends_with(&remote) && columns[9] != "0").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn however_often_the_broker_goes_away_every_accepted_post_is_in_the_queue() {
    let ground = Ground::new();
    let (proxy, url) = ground.proxied();
    let server = Arc::new(ground.serve_with(&[], &[("AMQP_URL", &url)]).await);
    let (stop, accepted) = (CancellationToken::new(), Arc::new(Mutex::new(HashSet::new())));
    let refused = Arc::new(AtomicU32::new(0));
    let senders: Vec<_> = (0..16)
        .map(|sender| {
            let (server, stop, accepted) = (Arc::clone(&server), stop.clone(), Arc::clone(&accepted));
            let refused = Arc::clone(&refused);
            tokio::spawn(async move {
                while !stop.is_cancelled() {
                    let reply = server.submit(&format!("from {sender}")).await;
                    match reply.status {
                        202 => drop(accepted.lock().expect("nobody panics with it").insert(reply.id())),
                        503 => drop(refused.fetch_add(1, Ordering::Relaxed)),
                        other => panic!("{other}: {}", reply.text),
                    }
                }
            })
        })
        .collect();
    let taken = || accepted.lock().expect("nobody panics with it").len();
    for _ in 0..3 {
        let before = taken();
        until("posts are accepted", async || taken() > before + 200).await;
        let (before, refused) = (refused.load(Ordering::Relaxed), Arc::clone(&refused));
        proxy.cut();
        until("posts are refused", async || refused.load(Ordering::Relaxed) > before + 20).await;
        proxy.heal();
    }
    stop.cancel();
    for sender in senders {
        sender.await.expect("every answer is 202 or 503");
    }
    let found: HashSet<_> = ids(&ground.take_all().await).into_iter().collect();
    let lost: Vec<_> = accepted.lock().expect("nobody panics with it").difference(&found).cloned().collect();
    assert!(lost.is_empty(), "{} accepted posts are not in the queue: {lost:?}", lost.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_goes_on_after_an_outage_with_the_same_ids() {
    let ground = Ground::new();
    let (proxy, url) = ground.proxied();
    let folder = tempfile::tempdir().expect("a folder");
    let (file, ids_file) = (folder.path().join("posts"), folder.path().join("receipts"));
    std::fs::write(&file, many(20_000)).expect("a file");
    let args = ["publish", text(&file), "--rate", "8000", "--patience", "15s", "--receipts", text(&ids_file)];
    let program = ground.start(&args, &[("AMQP_URL", &url)]);
    for (outage, lines) in [(1, 1_000), (2, 8_000)] {
        until_lines(&ids_file, lines).await;
        proxy.cut();
        program.says("waiting: ", outage).await;
        proxy.heal();
    }
    let output = ended(program).await;
    assert_eq!(output.code, Some(0), "{}", output.said);
    let written = receipts(&ids_file);
    assert_eq!(written.iter().collect::<HashSet<_>>().len(), 20_000);
    assert_eq!(written.len(), 20_000, "a receipt was written twice");
    // What was sent but not confirmed when the wire was cut may be there twice, under the same id.
    let found: HashSet<_> = ids(&ground.take_all().await).into_iter().collect();
    assert_eq!(found, written.into_iter().collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_that_is_given_up_says_truly_what_is_confirmed() {
    let ground = Ground::new();
    let (proxy, url) = ground.proxied();
    let folder = tempfile::tempdir().expect("a folder");
    let (file, ids_file) = (folder.path().join("posts"), folder.path().join("receipts"));
    std::fs::write(&file, many(50_000)).expect("a file");
    let args = ["publish", text(&file), "--rate", "8000", "--patience", "500ms", "--receipts", text(&ids_file)];
    let program = ground.start(&args, &[("AMQP_URL", &url)]);
    until_lines(&ids_file, 1_000).await;
    proxy.cut();
    let output = ended(program).await;
    let shown = output.said;
    assert_eq!(output.code, Some(1), "{shown}");
    assert!(shown.contains("waiting: ") && shown.contains("gave up after 500ms"), "{shown}");

    let (_, rest) = shown.split_once("continue from line ").expect("it says from where");
    let next: usize =
        rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|line| line.parse().ok()).expect("a line");
    let beyond: usize =
        rest.split_once("confirmed too: ").map_or(0, |(_, ranges)| ranges.trim().split(", ").map(lines_of).sum());
    let written = receipts(&ids_file);
    assert_eq!(written.len(), next - 1 + beyond, "{shown}");
    let found: HashSet<_> = ids(&ground.take_all().await).into_iter().collect();
    assert!(written.iter().all(|id| found.contains(id)), "a receipt without a post");
}

/// How many lines `10-14` or `20` stands for.
fn lines_of(range: &str) -> usize {
    let number = |text: &str| text.parse::<usize>().expect("a number");
    range.split_once('-').map_or(1, |(from, to)| number(to) + 1 - number(from))
}
