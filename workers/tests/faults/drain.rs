//! A worker is told to stop: it finishes what it can, gives the rest back, and no healthy post pays for it.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use nix::sys::signal::Signal;
use sluice_lab::testing::{Ground, Program, Proxy, eventually, in_time};

use crate::stage::{delivery_counts, flood, number, posts, queue, quick_start};
use crate::support::{start, waiting, with_mysql_behind_a_proxy, worker};
use crate::vital::metric;

/// A worker that cannot finish the one post it has in flight.
async fn stuck(ground: &Ground, drain: &str) -> (Program, mysql_async::Conn) {
    let worker = worker(ground, &["--drain", drain]).await;
    let mut locked = ground.session().await;
    locked.query_drop("LOCK TABLES posts WRITE").await.expect("a lock");
    ground.publish(&posts(ground, 1, "stuck")).await;
    waiting(ground, 0).await;
    (worker, locked)
}

#[tokio::test]
async fn a_second_signal_ends_a_stop_at_once() {
    let ground = Ground::new().await;
    let (mut worker, locked) = stuck(&ground, "20s").await;
    worker.signal(Signal::SIGTERM);
    worker.says("a second signal exits immediately", 1).await;
    let begun = Instant::now();
    assert_eq!(worker.stop().await.code(), Some(130));
    in_time("its end", begun.elapsed(), Duration::from_secs(1));
    waiting(&ground, 1).await;
    locked.disconnect().await.expect("no lock");
}

#[tokio::test]
async fn what_a_stop_cannot_finish_goes_back_within_the_drain_deadline() {
    let ground = Ground::new().await;
    let (mut worker, locked) = stuck(&ground, "2s").await;
    let begun = Instant::now();
    assert_eq!(worker.stop().await.code(), Some(0));
    let took = begun.elapsed();
    println!("a locked table, drain 2 s: ended after {took:.2?}");
    assert!(took >= Duration::from_millis(1500), "it did not wait for what is in flight: {took:?}");
    in_time("a stop with a drain of 2 s", took, Duration::from_secs(2));
    queue(&ground, 1, 0).await;
    drop(locked);
    let _next = crate::support::worker(&ground, &[]).await;
    queue(&ground, 0, 8).await;
    eventually("the post to be stored", async || {
        let rows = number(&ground, "SELECT COUNT(*) FROM posts WHERE attempts = 1").await;
        if rows == 1 { Ok(()) } else { Err(rows) }
    })
    .await;
    assert_eq!(ground.dead().await.ready, 0);
}

#[tokio::test]
async fn a_stop_ends_in_time_though_both_servers_hang() {
    let ground = Ground::new().await;
    let broker = Proxy::start(ground.broker_address()).expect("a free port");
    let database = Proxy::start(ground.database_address()).expect("a free port");
    let mut environment = ground.environment();
    environment.push(("AMQP_URL", ground.amqp_url_via(broker.addr())));
    environment.push(("DATABASE_URL", ground.database_url_via(database.addr())));
    let mut worker = start(&environment, &["--drain", "3s"]);
    worker.says("consuming", 1).await;
    database.freeze();
    ground.publish(&posts(&ground, 4, "hangs")).await;
    worker.says("paused: mysql", 1).await;
    broker.freeze();
    let begun = Instant::now();
    assert_eq!(worker.stop().await.code(), Some(0));
    println!("both servers hang, drain 3 s: ended after {:.2?}", begun.elapsed());
    in_time("a stop with a drain of 3 s", begun.elapsed(), Duration::from_secs(3));
    drop(broker);
    waiting(&ground, 4).await;
    // Before it even began, too: only the database hangs now.
    environment.retain(|(name, _)| *name != "AMQP_URL");
    environment.push(("AMQP_URL", ground.amqp_url.clone()));
    let before = database.accepted();
    let mut early = start(&environment, &[]);
    eventually("it to ask the database", async || {
        let asked = database.accepted() - before;
        if asked > 0 { Ok(()) } else { Err(asked) }
    })
    .await;
    let begun = Instant::now();
    assert_eq!(early.stop().await.code(), Some(0), "{}", early.said());
    in_time("its end", begun.elapsed(), Duration::from_secs(1));
}

#[tokio::test]
async fn a_pause_shorter_than_the_hold_costs_no_delivery() {
    let ground = Ground::new().await;
    let (mut worker, proxy) = with_mysql_behind_a_proxy(&ground, &["--hold", "30s", "--listen", "127.0.0.1:0"]).await;
    let settled = async |settlement: &str| {
        metric(&worker, &format!("sluice_deliveries_settled_total{{settlement=\"{settlement}\"}}")).await
    };
    for pause in 1..=3 {
        proxy.cut();
        ground.publish(&posts(&ground, 12, "short pause")).await;
        worker.says("paused: mysql", pause).await;
        waiting(&ground, 4).await;
        proxy.heal();
        worker.says("resumed", pause).await;
        eventually("all posts to be acknowledged", async || {
            let acknowledged = settled("ack").await;
            if acknowledged == 12.0 * pause as f64 { Ok(()) } else { Err(acknowledged) }
        })
        .await;
    }
    assert_eq!((settled("release").await, settled("gone").await), (0.0, 0.0));
    // Of posts that are in flight in a fourth pause, the count is seen when their worker dies: it is that death's
    // alone.
    proxy.cut();
    ground.publish(&posts(&ground, 12, "long pause")).await;
    worker.says("paused: mysql", 4).await;
    waiting(&ground, 4).await;
    worker.kill().await;
    waiting(&ground, 12).await;
    let mut counts = delivery_counts(&ground).await;
    counts.sort_unstable();
    assert_eq!(counts, [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
}

/// A line to the broker and back takes this long.
const FAR: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_stop_does_not_wait_until_all_consumers_are_started() {
    let ground = Ground::new().await;
    let broker = Proxy::start(ground.broker_address()).expect("a free port");
    let (mut environment, _rules) = quick_start(&ground);
    environment.push(("AMQP_URL", ground.amqp_url_via(broker.addr())));
    let mut worker = start(&environment, &["--concurrency", "64", "--drain", "2s"]);
    worker.says("consuming", 1).await;
    broker.delay(FAR / 2);
    eventually("some of the others to be started", async || {
        let consumers = ground.depth().await.consumers;
        if consumers > 2 { Ok(()) } else { Err(consumers) }
    })
    .await;
    let begun = Instant::now();
    assert_eq!(worker.stop().await.code(), Some(0), "{}", worker.said());
    println!("64 consumers, {FAR:?} each: a stop in the midst of their start took {:.2?}", begun.elapsed());
    in_time("a stop with a drain of 2 s", begun.elapsed(), Duration::from_secs(2));
}

#[tokio::test]
async fn what_a_stop_gives_back_over_a_slow_line_does_not_come_straight_back() {
    let ground = Ground::new().await;
    ground.declare().await;
    let broker = Proxy::start(ground.broker_address()).expect("a free port");
    let (mut environment, _rules) = quick_start(&ground);
    environment.push(("AMQP_URL", ground.amqp_url_via(broker.addr())));
    let mut worker = start(&environment, &["--concurrency", "64", "--drain", "2s"]);
    worker.says("consuming", 1).await;
    let mut locked = ground.session().await;
    locked.query_drop("LOCK TABLES posts WRITE").await.expect("a lock");
    flood(&ground, &posts(&ground, 200, "slow line")).await;
    waiting(&ground, 200 - 64).await;
    broker.delay(FAR / 2);
    let begun = Instant::now();
    assert_eq!(worker.stop().await.code(), Some(0), "{}", worker.said());
    in_time("a stop with a drain of 2 s", begun.elapsed(), Duration::from_secs(2));
    locked.disconnect().await.expect("no lock");
    waiting(&ground, 200).await;
    let counts = delivery_counts(&ground).await;
    assert_eq!(counts.len(), 200);
    let most = counts.iter().max().copied().unwrap_or_default();
    assert!(most <= 1, "given back once, and delivered {most} times more: {counts:?}");
}
