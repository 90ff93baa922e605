//! Replay and drop: what is asked for and nothing else, recorded, and never a dead letter lost.

mod support;

use lapin::options::{BasicGetOptions, ExchangeDeleteOptions};
use lapin::types::AMQPValue;
use serde_json::json;
use sluice_rabbit::dead_letters::DeadLetterBrowser;
use support::{Dead, Ground, PATIENCE, ids, interrupt, text, until};

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
async fn an_interrupted_replay_ends_cleanly_and_the_same_command_goes_on() {
    let ground = Ground::new().await;
    let dead = Dead::some(60);
    ground.dead(&dead).await;
    let replay = ground.start(&["dlq", "replay", "--all", "--yes", "--rate", "20"]);
    until("some are replayed", async || ground.queued().await >= 4).await;
    interrupt(&replay).await;
    let ran = ground.finish(replay).await.exits(130);
    assert!(ran.stdout.contains("interrupted"), "{ran:?}");
    let queued = ground.queued().await;
    assert!(queued < dead.len(), "{queued} though it was to take three seconds");
    assert_eq!(ground.listed().await, ids(&dead[queued..]));
    let recorded: u64 = ground.value("SELECT COUNT(*) FROM operation_items WHERE outcome = 'replayed'").await;
    assert_eq!(recorded, queued as u64);
    ground.sluice(&["dlq", "replay", "--all", "--yes"]).await.ok();
    assert_eq!((ground.queued().await, ground.dead_letters().await), (dead.len(), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_is_killed_loses_nothing() {
    let ground = Ground::new().await;
    let dead = Dead::some(200);
    ground.dead(&dead).await;
    let mut replay = ground.start(&["dlq", "replay", "--all", "--yes", "--rate", "100"]);
    until("some are replayed", async || ground.queued().await >= 20).await;
    replay.kill().await.expect("it can be killed");
    // A post may be in both places at that moment, but never in neither.
    until("all are somewhere", async || ground.queued().await + ground.dead_letters().await >= dead.len()).await;
    let mut found = ground.listed().await;
    while let Some(got) = ground
        .channel
        .basic_get(ground.topology.queue().into(), BasicGetOptions { no_ack: true })
        .await
        .expect("the broker answers")
    {
        found.extend(got.delivery.properties.message_id().as_ref().map(ToString::to_string));
    }
    found.sort();
    found.dedup();
    let mut all = ids(&dead);
    all.sort();
    assert_eq!(found, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_ends_though_its_dead_letters_die_again_at_once() {
    let ground = Ground::new().await;
    let dead = Dead::some(30);
    ground.dead(&dead).await;
    // A worker that sets everything aside at once.
    let (channel, queue) = (ground.channel.clone(), ground.topology.queue());
    let killer = tokio::spawn(async move {
        loop {
            let got = channel.basic_get(queue.as_str().into(), BasicGetOptions { no_ack: false }).await;
            match got.expect("the broker answers") {
                Some(message) => {
                    let reject = lapin::options::BasicRejectOptions { requeue: false };
                    message.delivery.acker.reject(reject).await.expect("it is rejected");
                }
                None => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            }
        }
    });
    let ran = ground.sluice(&["dlq", "replay", "--all", "--yes", "--rate", "100"]).await.ok();
    assert!(ran.stdout.starts_with("30 replayed"), "{ran:?}");
    until("all have died again", async || ground.dead_letters().await == dead.len()).await;
    killer.abort();
    assert!(ground.sluice(&["dlq", "list", "--class", "rejected", "--json"]).await.ok().lines().len() == dead.len());
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

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_while_another_has_the_dead_letters_in_flight_waits_for_the_turn() {
    let ground = Ground::new().await;
    let dead = Dead::some(3);
    ground.dead(&dead).await;
    let mut dead_letters =
        DeadLetterBrowser::open(&ground.broker, &ground.topology, PATIENCE, || ()).await.expect("our lock");
    let mut taken = Vec::new();
    for _ in &dead {
        taken.push(dead_letters.next().await.expect("the broker answers").expect("a dead letter"));
    }
    let look = ground.start(&["dlq", "list", "--json"]);
    // It cannot have ended: the dead letters are here.
    until("all are in flight", async || ground.dead_letters().await == 0).await;
    drop(taken);
    dead_letters.put_back().await.expect("they go back");
    let ran = ground.finish(look).await.ok();
    let listed: Vec<String> = ran.lines().iter().map(|dead_letter| text(dead_letter, "id")).collect();
    assert_eq!(listed, ids(&dead));
}
