//! Operations that are interrupted, killed, kept waiting or undone by the workers while they run.

use lapin::options::BasicGetOptions;
use sluice_rabbit::dead_letters::DeadLetterBrowser;

use super::support::{Dead, Ground, PATIENCE, ids, interrupt, text, until};

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_replay_ends_cleanly_and_the_same_command_goes_on() {
    let ground = Ground::new().await;
    let dead = Dead::some(60);
    ground.dead(&dead).await;
    let replay = ground.start(&["dlq", "replay", "--all", "--yes", "--rate", "5"]);
    until("some are replayed", async || ground.queued().await >= 4).await;
    interrupt(&replay).await;
    let ran = ground.finish(replay).await.exits(130);
    assert!(ran.stdout.contains("interrupted"), "{ran:?}");
    let queued = ground.queued().await;
    assert!(queued < dead.len(), "{queued} though it was to take twelve seconds");
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
