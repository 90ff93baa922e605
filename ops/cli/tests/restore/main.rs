//! `sluice dlq drop`, `dropped` and `restore`: what is taken out can be had back, once and whole, whatever dies
//! between.

mod killed;
#[path = "../support/mod.rs"]
mod support;

use lapin::BasicProperties;
use lapin::options::QueuePurgeOptions;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};
use support::{Dead, Ground, ids, post, text};

const DROP_ALL: [&str; 4] = ["dlq", "drop", "--all", "--yes"];
const RESTORE_ALL: [&str; 3] = ["dlq", "restore", "--all"];

/// A stranger's dead letter with headers of odd types, and properties.
async fn odd(ground: &Ground) {
    let mut headers = FieldTable::default();
    headers.insert("small".into(), AMQPValue::ShortShortInt(-3));
    headers.insert("when".into(), AMQPValue::Timestamp(1_795_363_200));
    let properties = BasicProperties::default().with_message_id("odd".into()).with_app_id("theirs".into());
    let exchange = ground.topology.dead_letter_exchange();
    ground.publish(&exchange, b"\xff\x00 no text", properties.with_headers(headers)).await;
}

async fn verified(ground: &Ground, dead: &[Dead], code: i32) -> Value {
    let receipts = tempfile::NamedTempFile::new().expect("a place for files");
    std::fs::write(receipts.path(), ids(dead).join("\n")).expect("it can be written");
    let path = receipts.path().to_str().expect("a plain path");
    ground.sluice(&["verify", "--json", "--settle", "0s", "--receipts", path]).await.exits(code).object()
}

async fn outcomes(ground: &Ground, outcome: &str) -> u32 {
    ground.value(&format!("SELECT COUNT(*) FROM operation_items WHERE outcome = '{outcome}'")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_dead_letters_come_back_as_they_were_and_only_once() {
    let ground = Ground::new().await;
    let dead = Dead::some(3);
    ground.dead(&dead).await;
    odd(&ground).await;
    ground.rejected(&post("rejected")).await;
    ground.until_dead(5).await;
    let before = ground.exported().await;
    ground.sluice(&DROP_ALL).await.ok();
    assert_eq!(ground.dead_letters().await, 0);
    let listed = ground.sluice(&["dlq", "dropped", "--json"]).await.ok().lines();
    assert_eq!((listed.len(), text(&listed[0], "id")), (5, dead[0].id.to_string()));
    assert_eq!((&listed[0]["code"], &listed[0]["copies"]), (&json!("mysql_1406"), &json!(1)));
    assert!(text(&listed[0], "actor").contains('@') && !text(&listed[0], "operation").is_empty(), "{listed:?}");
    assert_eq!(verified(&ground, &dead, 0).await["dropped"], 3);

    let ran = ground.sluice(&RESTORE_ALL).await.ok();
    assert!(ran.stdout.starts_with("5 restored (recorded as operation "), "{ran:?}");
    assert_eq!(ground.exported().await, before);
    let account = verified(&ground, &dead, 0).await;
    assert_eq!((&account["dead"], &account["dropped"]), (&json!(3), &json!(0)));
    assert!(ground.sluice(&["dlq", "dropped"]).await.ok().stdout.is_empty());

    let id = dead[0].id.to_string();
    let ran = ground.sluice(&["dlq", "restore", &id]).await.exits(1);
    assert!(ran.stderr.contains(&format!("{id}: it was already restored, at ")), "{ran:?}");
    ground.sluice(&RESTORE_ALL).await.ok();
    assert_eq!(ground.dead_letters().await, 5, "nothing is brought back twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_comes_back_and_each_of_the_others_is_named_with_the_reason() {
    let ground = Ground::new().await;
    let dead = Dead::some(4);
    ground.dead(&dead).await;
    let all = ids(&dead);
    ground.sluice(&["dlq", "drop", &all[0], &all[1], "--yes"]).await.ok();
    ground.sluice(&["dlq", "drop", &all[2], "--yes", "--forever", "--reason", "a request by law"]).await.ok();
    let asked = ["dlq", "restore", &all[0], &all[2], "nobody", &all[3], "--json"];
    let ran = ground.sluice(&asked).await.exits(3);
    let told: Vec<(String, String)> =
        ran.lines().iter().map(|line| (text(line, "outcome"), text(line, "detail"))).collect();
    assert_eq!(told[0].0, "restored");
    for (line, reason) in
        told[1..].iter().zip(["it was destroyed", "no dead letter with this id", "no dead letter with this id"])
    {
        assert!(line.0 == "failed" && line.1.contains(reason), "{told:?}");
    }
    let listed = ground.sluice(&["dlq", "dropped", "--json"]).await.ok().lines();
    assert_eq!(listed.iter().map(|line| text(line, "id")).collect::<Vec<_>>(), [all[1].clone()]);
    assert_eq!(ground.listed().await, [all[3].clone(), all[0].clone()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_of_what_is_destroyed_but_who_when_which_and_why() {
    let ground = Ground::new().await;
    let dead = [Dead::new("a secret title"), Dead::new("another")];
    ground.dead(&dead).await;
    let ran = ground.sluice(&["dlq", "drop", "--all", "--forever"]).await.exits(2);
    assert!(ran.stderr.contains("--yes"), "{ran:?}");
    let ran = ground.sluice(&["dlq", "drop", "--all", "--forever", "--yes", "--reason", "by law", "--json"]).await.ok();
    assert!(ran.lines().iter().all(|line| line["outcome"] == "destroyed"), "{ran:?}");
    assert_eq!(ground.dead_letters().await, 0);
    assert_eq!(ground.value::<u32>("SELECT COUNT(*) FROM archived_dead_letters").await, 0);
    let line: String = ground
        .value("SELECT CONCAT_WS(' ', a.kind, a.selection, l.dead_letter, l.outcome, l.detail) FROM operations a JOIN operation_items l ON l.operation = a.id ORDER BY l.number LIMIT 1")
        .await;
    for told in ["destroy ", "by law", &dead[0].id.to_string(), "mysql_1406"] {
        assert!(line.contains(told), "{told} in {line}");
    }
    assert!(!line.contains("secret"), "{line}");
    assert_eq!(verified(&ground, &dead, 0).await["dropped"], 2);
    let ran = ground.sluice(&RESTORE_ALL).await.ok();
    assert!(ran.stderr.contains("nothing was done"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_chosen_by_operation_by_filter_and_by_number() {
    let ground = Ground::new().await;
    let mut dead = Dead::some(6);
    dead[1].code = "malformed";
    dead[2].code = "malformed";
    ground.dead(&dead).await;
    let all = ids(&dead);
    ground.sluice(&["dlq", "drop", "--code", "malformed", "--yes"]).await.ok();
    let operation: String = ground.value("SELECT id FROM operations").await;
    ground.sluice(&DROP_ALL).await.ok();
    let dry = ground.sluice(&["dlq", "restore", "--operation", &operation, "--dry-run"]).await.ok();
    assert!(dry.stdout.contains(&all[1]) && dry.stderr.contains("2 would be restored"), "{dry:?}");
    assert_eq!(ground.dead_letters().await, 0);
    ground.sluice(&["dlq", "restore", "--operation", &operation]).await.ok();
    assert_eq!(ground.listed().await, [all[1].clone(), all[2].clone()]);
    let ran = ground.sluice(&["dlq", "restore", "--operation", &operation, "--operation", "none"]).await.exits(1);
    assert!(ran.stderr.contains("were already restored") && ran.stderr.contains("none: no operation"), "{ran:?}");
    ground.sluice(&["dlq", "restore", "--code", "mysql_1406", "--limit", "2"]).await.ok();
    assert_eq!(ground.listed().await, [&all[1], &all[2], &all[0], &all[3]].map(String::clone));
    ground.sluice(&["dlq", "restore", "--class", "expired"]).await.ok();
    ground.sluice(&["dlq", "restore"]).await.exits(2);
    ground.sluice(&["dlq", "restore", "--limit", "1"]).await.exits(2);
    ground.sluice(&["dlq", "restore", "--all", "--operation", &operation]).await.exits(2);
    assert_eq!(ground.dead_letters().await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_brought_back_and_lost_is_missing_and_not_dropped() {
    let ground = Ground::new().await;
    let dead = Dead::some(2);
    ground.dead(&dead).await;
    ground.sluice(&DROP_ALL).await.ok();
    ground.sluice(&RESTORE_ALL).await.ok();
    let queue = ground.topology.dead_letter_queue();
    ground.channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await.expect("purged");
    let account = verified(&ground, &dead, 1).await;
    assert_eq!((&account["missing"], &account["dropped"]), (&json!(2), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_recorded_or_published_is_not_brought_back() {
    let ground = Ground::new().await;
    ground.dead(&Dead::some(2)).await;
    ground.sluice(&DROP_ALL).await.ok();
    let unreachable = ["--database-url", "mysql://root:hunter2@127.0.0.1:1/none"];
    for command in ["restore", "dropped"] {
        let all: &[&str] = if command == "restore" { &["--all"] } else { &[] };
        let ran = ground.sluice(&[&["dlq", command][..], all, &unreachable].concat()).await.exits(1);
        assert!(ran.stderr.contains("127.0.0.1:1") && !ran.stderr.contains("hunter2"), "{ran:?}");
    }
    let exchange = ground.topology.dead_letter_exchange();
    let options = lapin::options::ExchangeDeleteOptions::default();
    ground.channel.exchange_delete(exchange.as_str().into(), options).await.expect("deleted");
    let ran = ground.sluice(&RESTORE_ALL).await.exits(1);
    assert!(ran.stderr.contains(&exchange) && ran.stderr.contains("stays in the archive"), "{ran:?}");
    assert_eq!(ground.dead_letters().await, 0);
    ground.topology.declare(&ground.connection).await.expect("it can be made again");
    ground.sluice(&RESTORE_ALL).await.ok();
    assert_eq!(ground.dead_letters().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_dead_letter_of_a_post_that_is_forgotten_does_not_come_back() {
    let ground = Ground::new().await;
    let dead = Dead::some(2);
    ground.dead(&dead).await;
    let all = ids(&dead);
    ground.sluice(&["dlq", "drop", &all[0], &all[1], "--yes"]).await.ok();
    let forget = ["review", "forget", &all[0], "--reason", "a request by law", "--yes"];
    let ran = ground.sluice(&forget).await.ok();
    assert_eq!(ran.stdout, format!("1 archived dead letter of post {} erased\n", all[0]));
    assert!(ran.stderr.contains("dead letters that still wait are not searched"), "{ran:?}");
    let told =
        ground.sluice(&["review", "forget", &all[1], "--reason", "the same", "--yes", "--json"]).await.ok().object();
    assert_eq!(told, json!({ "post": all[1], "forgotten": false, "archived_dead_letters": 1 }));
    assert!(ground.sluice(&["dlq", "dropped"]).await.ok().stdout.is_empty());
    let ran = ground.sluice(&["dlq", "restore", &all[0]]).await.exits(1);
    assert!(ran.stderr.contains(&all[0]), "{ran:?}");
    let ran = ground.sluice(&forget).await.exits(3);
    assert!(ran.stderr.contains("no dead letter of it is archived"), "{ran:?}");
}
