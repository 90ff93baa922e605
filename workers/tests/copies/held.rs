//! Which posts are held for near copies, and which are not.

use lapin::ExchangeKind;
use lapin::options::ExchangeDeclareOptions;
use lapin::types::FieldTable;
use mysql_async::prelude::Queryable as _;
use sluice_lab::testing::{Ground, eventually};

use crate::stage::{Stage, metric, number, reasons, verdicts};
use crate::support::start;

#[tokio::test]
async fn one_post_that_is_delivered_twenty_times_is_one_copy() {
    let stage = Stage::new().await;
    let workers = stage.sharing(2).await;
    let copies = stage.copies(10);
    let twenty = vec![copies[0].clone(); 20];
    stage.ground.publish(&twenty).await;
    let rows = stage.told(&copies[1..], &workers, 1).await;
    assert_eq!(verdicts(&rows), [&["approved"; 8][..], &["held"]].concat());
    let first = stage.flood(&copies[..1]).await;
    assert_eq!(verdicts(&first), ["approved"]);
}

#[tokio::test]
async fn different_posts_and_short_ones_are_not_held() {
    const WORDS: [&str; 12] = [
        "river", "yellow", "kitchen", "mountain", "violin", "tomorrow", "harbour", "pencil", "engine", "winter",
        "garden", "candle",
    ];
    let stage = Stage::new().await;
    let _workers = stage.workers(1, &[]).await;
    let mut chance = fastrand::Rng::with_seed(1);
    let mut posts = Vec::new();
    for author in 0..40 {
        let long: Vec<_> = (0..25).map(|_| format!("{}{}", WORDS[chance.usize(0..12)], chance.alphabetic())).collect();
        posts.push(stage.said(author, &long.join(" ")));
        posts.push(stage.said(author, "Thanks a lot, that was what I was looking for!"));
        posts.push(stage.said(author, "感谢楼主的无私分享，好人一生平安"));
    }
    let rows = stage.flood(&posts).await;
    assert_eq!((number(&rows, "approved"), rows.len()), (120, 120));
    let copies = stage.flood(&stage.copies(12)).await;
    assert_eq!(number(&copies, "held"), 3, "the same worker counts copies");
}

#[tokio::test]
async fn off_means_off_and_a_number_is_the_number() {
    let stage = Stage::new().await;
    let mut workers = stage.workers(1, &["--copies", "off"]).await;
    let rows = stage.flood(&stage.copies(30)).await;
    assert_eq!(number(&rows, "approved"), 30);
    // There is nothing of it in RabbitMQ either.
    let connection = stage.ground.connect().await;
    let channel = connection.create_channel().await.expect("a channel");
    let look = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
    let exchange = stage.ground.topology().near_copies();
    let looked = channel.exchange_declare(exchange.into(), ExchangeKind::Fanout, look, FieldTable::default()).await;
    assert!(looked.is_err_and(|error| error.to_string().contains("NOT_FOUND")));
    sluice_rabbit::broker::close(&connection).await;
    assert!(workers.remove(0).stop().await.success());

    let _workers = stage.workers(1, &["--copies", "3", "--copies-window", "1d"]).await;
    let rows = stage.flood(&stage.copies(5)).await;
    // The window was empty when the worker started, whatever is stored.
    assert_eq!((number(&rows, "approved"), number(&rows, "held")), (2, 3));
}

#[tokio::test]
async fn a_wrong_setting_is_refused_by_its_name() {
    let ground = Ground::new().await;
    for (args, name) in [(["--copies", "1"], "--copies"), (["--copies-window", "2d"], "SLUICE_COPIES_WINDOW")] {
        let mut worker = start(&ground.environment(), &args);
        assert_eq!(worker.ended().await.code(), Some(2), "{}", worker.said());
        assert!(worker.said().contains(name), "{}", worker.said());
    }
}

#[tokio::test]
async fn a_held_post_has_the_reason_a_case_in_the_queue_of_repetition_and_is_counted() {
    let stage = Stage::new().await;
    let workers = stage.workers(1, &["--copies", "2"]).await;
    let rows = stage.told(&stage.copies(3), &workers, 0).await;
    assert_eq!(verdicts(&rows), ["approved", "held", "held"]);
    assert!(reasons(&rows[0]).is_empty());
    let reason = &reasons(&rows[2])[0];
    assert_eq!([&reason.rule, &reason.category, &reason.field], ["near_copies", "repetition", "post"]);
    assert!(reason.text.starts_with("3 posts by 3 authors within "), "{}", reason.text);
    let asked = "SELECT queue, priority FROM review_cases ORDER BY priority";
    // A case comes after its row.
    eventually("a case for each of the two", async || {
        let cases: Vec<(String, u16)> = stage.ground.session().await.query(asked).await.expect("the table is there");
        let wanted = [("repetition".to_owned(), 2), ("repetition".to_owned(), 3)];
        if cases == wanted { Ok(()) } else { Err(cases) }
    })
    .await;
    assert_eq!(metric(&workers[0], "sluice_copies_held_total").await, 2.0);
    let bytes = metric(&workers[0], "sluice_copies_bytes").await;
    assert!((15e6..16e6).contains(&bytes), "{bytes}");
}
