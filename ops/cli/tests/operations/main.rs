//! Replay and drop: what is asked for and nothing else, recorded, and never a dead letter lost.

mod cut_short;
#[path = "../support/mod.rs"]
mod support;

use lapin::options::{BasicGetOptions, ExchangeDeleteOptions};
use lapin::types::AMQPValue;
use serde_json::json;
use support::{Dead, Ground, ids, text, until};

#[tokio::test(flavor = "multi_thread")]
async fn chosen_dead_letters_are_replayed_and_the_others_keep_their_order() {
    let ground = Ground::new().await;
    let dead = Dead::some(6);
    ground.dead(&dead).await;
    let all = ids(&dead);
    let ran = ground.sluice(&["dlq", "replay", &all[1], &all[4], "--yes", "--json"]).await.ok();
    let told: Vec<_> = ran.lines();
    assert_eq!(told[0], json!({ "id": all[1], "outcome": "replayed", "detail": "" }));
    assert_eq!((told.len(), text(&told[1], "id")), (2, all[4].clone()));
    assert_eq!(ground.listed().await, [&all[0], &all[2], &all[3], &all[5]].map(String::clone));
    assert_eq!(ground.queued().await, 2);
    let recorded: u64 = ground.value("SELECT COUNT(*) FROM operation_items WHERE outcome = 'replayed'").await;
    assert_eq!(recorded, 2);
    let actor: String = ground.value("SELECT CONCAT(kind, ' ', actor, ' ', prefix) FROM operations").await;
    assert!(actor.starts_with("replay ") && actor.contains('@') && actor.ends_with(&ground.prefix), "{actor}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_post_is_as_it_was_but_for_one_replay_more() {
    let ground = Ground::new().await;
    let dead = Dead::some(1);
    ground.dead(&dead).await;
    ground.sluice(&["dlq", "replay", "--all", "--yes"]).await.ok();
    let got = ground.channel.basic_get(ground.topology.queue().into(), BasicGetOptions { no_ack: true }).await;
    let message = got.expect("the broker answers").expect("it waits").delivery;
    assert_eq!(message.data, dead[0].post().to_body());
    assert_eq!(message.properties.message_id().as_ref().map(ToString::to_string), Some(dead[0].id.to_string()));
    let headers = message.properties.headers().clone().expect("headers");
    assert_eq!(headers.inner().get("sluice-replays"), Some(&AMQPValue::LongLongInt(1)));
    let operation: String = ground.value("SELECT id FROM operations").await;
    assert_eq!(headers.inner().get("sluice-replay"), Some(&AMQPValue::LongString(operation.into())));
    // Nothing else of ours; how often it was delivered is the broker's own count.
    let known = ["sluice-replay", "sluice-replays", "x-delivery-count"];
    let others = headers.inner().keys().filter(|name| !known.contains(&name.as_str()));
    assert_eq!(others.count(), 0, "{headers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_dead_letters_are_replayed_by_a_filter_and_the_others_keep_their_order() {
    let ground = Ground::new().await;
    let mut dead = Dead::some(700);
    for dead_letter in dead.iter_mut().step_by(3) {
        dead_letter.code = "malformed";
    }
    ground.dead(&dead).await;
    ground.sluice(&["dlq", "replay", "--code", "malformed", "--yes"]).await.ok();
    let kept: Vec<Dead> = dead.iter().filter(|dead_letter| dead_letter.code != "malformed").cloned().collect();
    assert_eq!(ground.listed().await, ids(&kept));
    assert_eq!(ground.queued().await, dead.len() - kept.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_exchange_missing_nothing_is_lost() {
    let ground = Ground::new().await;
    let dead = Dead::some(5);
    ground.dead(&dead).await;
    let exchange = ground.topology.exchange();
    ground.channel.exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default()).await.expect("deleted");
    let ran = ground.sluice(&["dlq", "replay", "--all", "--yes"]).await.exits(1);
    assert!(ran.stderr.contains(&exchange) && ran.stderr.contains(&dead[0].id.to_string()), "{ran:?}");
    assert_eq!(ground.listed().await, ids(&dead));
    let failed: u64 =
        ground.value("SELECT COUNT(*) FROM operation_items WHERE outcome = 'failed' AND detail <> ''").await;
    assert_eq!(failed, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_stops_a_replay_and_every_dead_letter_is_in_one_place() {
    let ground = Ground::with_max_length(Some(20)).await;
    let dead = Dead::some(400);
    ground.dead(&dead).await;
    let ran = ground.sluice(&["dlq", "replay", "--all", "--yes"]).await.exits(3);
    assert!(ran.stderr.contains("the queue is full"), "{ran:?}");
    let queued = ground.queued().await;
    assert!(queued >= 20, "{queued}");
    assert_eq!(queued + ground.dead_letters().await, dead.len());
    let replayed: u64 = ground.value("SELECT COUNT(*) FROM operation_items WHERE outcome = 'replayed'").await;
    assert_eq!(replayed, queued as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_ids_are_named_and_the_others_done() {
    let ground = Ground::new().await;
    let dead = Dead::some(2);
    ground.dead(&dead).await;
    let ran = ground.sluice(&["dlq", "replay", "nobody", &ids(&dead)[0], "--yes"]).await.exits(3);
    assert!(ran.stderr.contains("nobody: no dead letter has this id"), "{ran:?}");
    assert!(ran.stdout.contains("1 replayed, 1 not found"), "{ran:?}");
    assert_eq!((ground.queued().await, ground.dead_letters().await), (1, 1));
    ground.sluice(&["dlq", "replay", "nobody", "--yes"]).await.exits(3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_matches_nothing_is_no_failure_and_no_operation() {
    let ground = Ground::new().await;
    ground.dead(&Dead::some(1)).await;
    let ran = ground.sluice(&["dlq", "drop", "--class", "expired", "--yes"]).await.ok();
    assert!(ran.stdout.contains("nothing was done"), "{ran:?}");
    assert_eq!(ground.value::<u64>("SELECT COUNT(*) FROM operations").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_names_what_would_be_done_and_does_nothing() {
    let ground = Ground::new().await;
    let dead = Dead::some(3);
    ground.dead(&dead).await;
    let ran = ground.sluice(&["dlq", "drop", "--all", "--limit", "2", "--dry-run", "--json"]).await.ok();
    let told: Vec<String> = ran.lines().iter().map(|line| text(line, "id") + " " + &text(line, "outcome")).collect();
    let all = ids(&dead);
    assert_eq!(told, [format!("{} would_drop", all[0]), format!("{} would_drop", all[1])]);
    assert_eq!(ground.listed().await, all);
    assert_eq!(ground.value::<u64>("SELECT COUNT(*) FROM operations").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_dead_letters_can_be_dropped_many_at_once() {
    let ground = Ground::new().await;
    // Together more than a server takes in one statement (16 MiB).
    for number in 0..50 {
        ground.foreign(&vec![b'a'; 400_000], Some(&format!("large-{number}"))).await;
    }
    ground.until_dead(50).await;
    ground.sluice(&["dlq", "drop", "--all", "--yes"]).await.ok();
    assert!(ground.value::<u64>("SELECT SUM(LENGTH(transcript)) FROM archived_dead_letters").await > 50 * 400_000);
    assert_eq!(ground.dead_letters().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_out_stays_out() {
    let ground = Ground::new().await;
    // More at once than the broker writes at once, and nothing else to wait for: the end must wait for it.
    for _ in 0..10 {
        let dead = Dead::some(100);
        ground.dead(&dead).await;
        ground.sluice(&["dlq", "drop", "--all", "--yes"]).await.ok();
        assert_eq!(ground.dead_letters().await, 0);
    }
    until("nothing comes back", async || ground.listed().await.is_empty()).await;
    assert_eq!(ground.value::<u64>("SELECT COUNT(*) FROM operation_items").await, 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_that_cannot_be_recorded_is_not_done_and_looking_goes_on() {
    let ground = Ground::new().await;
    let dead = Dead::some(3);
    ground.dead(&dead).await;
    let unreachable = ["--database-url", "mysql://root:hunter2@127.0.0.1:1/none"];
    for operation in ["replay", "drop"] {
        let ran = ground.sluice(&[&["dlq", operation, "--all", "--yes"][..], &unreachable].concat()).await.exits(1);
        assert!(ran.stderr.contains("could not be recorded") && !ran.stderr.contains("hunter2"), "{ran:?}");
    }
    ground.sluice(&[&["dlq", "replay", "--all", "--dry-run"][..], &unreachable].concat()).await.ok();
    assert_eq!(ground.listed().await, ids(&dead));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_schema_is_refused_with_the_command_that_fix_it() {
    let ground = Ground::bare(None).await;
    ground.topology.declare(&ground.connection).await.expect("fresh names");
    ground.store.create_database().await.expect("a new database");
    ground.dead(&Dead::some(1)).await;
    let ran = ground.sluice(&["dlq", "drop", "--all", "--yes"]).await.exits(1);
    assert!(ran.stderr.contains("sluice migrate"), "{ran:?}");
    assert_eq!(ground.dead_letters().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_request_is_refused_before_anything_is_touched() {
    let ground = Ground::new().await;
    ground.dead(&Dead::some(1)).await;
    for (args, told) in [
        (&["replay"][..], "--all"),
        (&["drop", "--yes", "--limit", "5"], "--all"),
        (&["drop", "--all"], "--yes"),
        (&["replay", "--all", "--class", "expired", "--yes"], "--class"),
        (&["replay", "--all", "--yes", "--rate", "0"], "--rate"),
        (&["drop", "--since", "soon", "--yes"], "15m"),
        (&["drop", "--class", "dead", "--yes"], "crash_loop"),
    ] {
        let ran = ground.sluice(&[&["dlq"], args].concat()).await.exits(2);
        assert!(ran.stderr.contains(told) && ran.stdout.is_empty(), "{args:?}: {ran:?}");
    }
    assert_eq!((ground.dead_letters().await, ground.queued().await), (1, 0));
}
