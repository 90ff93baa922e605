//! Several processes: they see the same, within seconds; and none of them needs the others.

use std::collections::BTreeSet;
use std::time::Duration;

use lapin::ExchangeKind;
use lapin::options::ExchangeDeclareOptions;
use lapin::types::FieldTable;
use mysql_async::prelude::Queryable as _;
use sluice_lab::testing::in_time;
use tokio::time::Instant;

use crate::stage::{Stage, agree, number, reasons, verdicts};

#[tokio::test]
async fn of_twelve_near_copies_through_two_processes_the_tenth_and_later_ones_are_held() {
    let stage = Stage::new().await;
    let workers = stage.sharing(2).await;
    let rows = stage.told(&stage.copies(12), &workers, 0).await;
    assert_eq!(verdicts(&rows), [&["approved"; 9][..], &["held"; 3]].concat());
    let texts: Vec<String> = rows[9..].iter().map(|row| reasons(row)[0].text.clone()).collect();
    for (text, posts) in texts.iter().zip(10..) {
        assert!(text.starts_with(&format!("{posts} posts by {posts} authors within ")), "{text}");
    }
    let by: BTreeSet<_> = rows.iter().map(|row| row.worker.as_str()).collect();
    assert_eq!(by.len(), 2, "both have taken some: {by:?}");
}

#[tokio::test]
async fn eight_processes_agree_within_seconds() {
    let stage = Stage::new().await;
    let workers = stage.sharing(8).await;
    let copies = stage.copies(49);
    let first = stage.flood(&copies[..9]).await;
    let stored = Instant::now();
    agree(&workers, 9).await;
    in_time("eight processes to know nine posts", stored.elapsed(), Duration::from_secs(5));
    assert_eq!(number(&first, "approved"), 9);
    // Whoever takes one of them knows it for a copy.
    let rows = stage.flood(&copies[9..]).await;
    assert_eq!(number(&rows, "held"), 40);
    let by: BTreeSet<_> = rows.iter().map(|row| row.worker.as_str()).collect();
    assert!(by.len() > 4, "{by:?}");
}

#[tokio::test]
async fn a_worker_that_is_killed_in_a_flood_loses_no_post_and_the_others_go_on_counting() {
    let stage = Stage::new().await;
    let mut workers = stage.sharing(3).await;
    let copies = stage.copies(400);
    let mut doomed = workers.remove(0);
    let ((), ()) = tokio::join!(stage.ground.publish(&copies), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        doomed.kill().await;
    });
    let mut rows = Vec::new();
    for post in &copies {
        rows.push(crate::support::stored(&stage.ground, post.id).await);
    }
    // Nine by each process at most: at first they do not know of each other's.
    let approved = number(&rows, "approved");
    assert!((9..=27).contains(&approved), "{approved}");
    assert_eq!(number(&rows, "held"), 400 - approved);
    let asked = "SELECT COUNT(*), COUNT(DISTINCT post) FROM review_cases";
    sluice_lab::testing::eventually("a case for each held post", async || {
        let cases: Option<(usize, usize)> = stage.ground.session().await.query_first(asked).await.expect("a count");
        if cases == Some((400 - approved, 400 - approved)) { Ok(()) } else { Err(cases) }
    })
    .await;
    let more = stage.flood(&[stage.said(1000, &copies[0].content)]).await;
    assert_eq!(verdicts(&more), ["held"]);
}

#[tokio::test]
async fn where_rabbitmq_does_not_share_each_process_counts_what_it_sees() {
    let stage = Stage::new().await;
    // An exchange of another kind is in the way.
    let connection = stage.ground.connect().await;
    let channel = connection.create_channel().await.expect("a channel");
    let exchange = stage.ground.topology().near_copies();
    let (kind, options) = (ExchangeKind::Direct, ExchangeDeclareOptions::default());
    channel.exchange_declare(exchange.into(), kind, options, FieldTable::default()).await.expect("it is declared");
    let workers = stage.workers(1, &[]).await;
    workers[0].says("the connection for near copies ended", 1).await;
    let rows = stage.flood(&stage.copies(12)).await;
    assert_eq!((number(&rows, "approved"), number(&rows, "held")), (9, 3));
    sluice_rabbit::broker::close(&connection).await;
}

#[tokio::test]
async fn what_nobody_can_read_does_no_harm() {
    let stage = Stage::new().await;
    let workers = stage.sharing(2).await;
    let connection = stage.ground.connect().await;
    let channel = connection.create_channel().await.expect("a channel");
    for body in [&b""[..], b"{}", &[1; 100], &[1; 300_000]] {
        let (exchange, properties) = (stage.ground.topology().near_copies(), lapin::BasicProperties::default());
        let options = lapin::options::BasicPublishOptions::default();
        channel.basic_publish(exchange.into(), "".into(), options, body, properties).await.expect("it is sent");
    }
    for worker in &workers {
        worker.says("what was shared of near copies cannot be read", 4).await;
    }
    let rows = stage.told(&stage.copies(2), &workers, 0).await;
    assert_eq!(verdicts(&rows), ["approved"; 2]);
    sluice_rabbit::broker::close(&connection).await;
}
