//! What a replay says before it begins, and how it yields: to workers that are paused, and to a database that is down.

mod support;

use serde_json::json;
use sluice_lab::testing::eventually;
use support::{Dead, Ground, ids, text, until};

const REPLAYED: &str = "SELECT COUNT(*) FROM operation_items WHERE outcome = 'replayed'";

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_asks_todays_table_and_changes_nothing() {
    let ground = Ground::new().await;
    let mut dead = Dead::some(4);
    dead.push(Dead::new(&"x".repeat(300)));
    ground.dead(&dead).await;
    ground.foreign(b"no post", Some("stranger")).await;
    ground.until_dead(6).await;
    ground.record(&[dead[1].post()]).await;
    let before = ground.listed().await;
    let plan = ground.sluice(&["dlq", "replay", "--all", "--plan", "--json"]).await.ok().object();
    let forecast = json!({ "would_be_recorded": 3, "already_recorded": 1, "would_be_refused_again": 2 });
    assert_eq!((&plan["dead_letters"], &plan["forecast"]), (&json!(6), &forecast), "{plan}");
    assert_eq!(plan["verdicts"], json!({ "approved": 3 }));
    assert_eq!(plan["groups"][0]["count"], json!(5));
    let codes: Vec<String> =
        plan["refusals"].as_array().expect("a list").iter().map(|refusal| text(refusal, "code")).collect();
    assert!(codes.contains(&"mysql_1406".to_owned()) && codes.contains(&"malformed".to_owned()), "{codes:?}");

    let said = ground.sluice(&["dlq", "replay", "--all", "--plan"]).await.ok();
    assert!(said.stdout.contains("6 dead letters: 1 already recorded, 3 would be recorded"), "{said:?}");
    assert!(said.stderr.contains("nothing was done"), "{said:?}");
    let lines = ground.sluice(&["dlq", "replay", "--all", "--dry-run", "--json"]).await.ok().lines();
    assert_eq!(text(&lines[1], "outcome"), "would_replay");
    assert!(text(&lines[1], "detail").ends_with("already recorded"), "{lines:?}");
    assert_eq!(ground.listed().await, before);
    assert_eq!(ground.queued().await, 0);
    assert_eq!(ground.value::<u64>("SELECT COUNT(*) FROM posts").await, 1);
    assert_eq!(ground.value::<u64>("SELECT COUNT(*) FROM operations").await, 0);

    // The table as it is today, not as it was when they died.
    ground.sql("ALTER TABLE posts MODIFY title VARCHAR(400) NOT NULL").await;
    let plan = ground.sluice(&["dlq", "replay", "--all", "--plan", "--json"]).await.ok().object();
    assert_eq!(plan["forecast"]["would_be_recorded"], json!(4), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_without_mysql_says_so_and_tells_the_rest() {
    let ground = Ground::new().await;
    ground.dead(&Dead::some(2)).await;
    ground.foreign(b"no post", Some("stranger")).await;
    ground.until_dead(3).await;
    let unreachable = ["--database-url", "mysql://root:hunter2@127.0.0.1:1/none"];
    let ran =
        ground.sluice(&[&["dlq", "replay", "--all", "--plan", "--json"][..], &unreachable].concat()).await.exits(3);
    assert_eq!(ran.object()["forecast"], json!({ "not_known": 2, "would_be_refused_again": 1 }));
    assert!(ran.stderr.contains("127.0.0.1:1") && !ran.stderr.contains("hunter2"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_nothing_and_of_unknown_ids_is_told_like_a_replay_of_them() {
    let ground = Ground::new().await;
    let dead = Dead::some(1);
    ground.dead(&dead).await;
    let ran = ground.sluice(&["dlq", "replay", "--class", "expired", "--plan"]).await.ok();
    assert!(ran.stdout.is_empty() && ran.stderr.contains("no dead letter matches the filters"), "{ran:?}");
    let ran = ground.sluice(&["dlq", "replay", &ids(&dead)[0], "nobody", "--plan"]).await.exits(3);
    assert!(ran.stderr.contains("nobody: no dead letter has this id"), "{ran:?}");
    ground.sluice(&["dlq", "replay", "--plan"]).await.exits(2);
    ground.sluice(&["dlq", "replay", "--all", "--plan", "--wait"]).await.exits(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_waits_while_all_workers_are_paused_and_then_goes_on() {
    let ground = Ground::new().await;
    let (proxy, by_proxy) = ground.database_proxy();
    let worker = ground.worker_on(&by_proxy, &[]);
    worker.says("consuming", 1).await;
    proxy.cut();
    ground.submit(&Dead::new("notices").post()).await;
    worker.says("paused: mysql", 1).await;
    ground.dead(&Dead::some(30)).await;
    let mut replay = ground.spoken(&ground.database_url, &["dlq", "replay", "--all", "--yes", "--rate", "3"]);
    replay.says("all workers are paused", 1).await;
    // Others can look meanwhile. It listens to workers for less than a second, again and again: while one is not heard,
    // as on a busy machine, it is not held.
    let (listed, replayed) = eventually("a look while nothing is replayed", async || {
        let replayed = async || ground.value::<u64>("SELECT COUNT(*) FROM operation_items").await;
        let (before, listed, after) = (replayed().await, ground.listed().await.len() as u64, replayed().await);
        if before == after { Ok((listed, after)) } else { Err((before, after)) }
    })
    .await;
    assert_eq!(listed + replayed, 30);
    assert!(replayed == 0 || replay.said().contains("no worker answers"), "{replayed}: {}", replay.said());
    proxy.heal();
    assert!(replay.ended().await.success(), "{}", replay.said());
    assert!(replay.said().contains("continuing"), "{}", replay.said());
    until("all are stored", async || ground.value::<u64>("SELECT COUNT(*) FROM posts").await == 31).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_mysql_in_the_middle_of_a_replay_only_delays_it() {
    let ground = Ground::new().await;
    let dead = Dead::some(60);
    ground.dead(&dead).await;
    let (proxy, by_proxy) = ground.database_proxy();
    let mut replay = ground.spoken(&by_proxy, &["dlq", "replay", "--all", "--yes", "--rate", "10"]);
    until("some are replayed", async || ground.value::<u64>(REPLAYED).await >= 4).await;
    proxy.cut();
    until("it says that it waits", async || {
        let said = replay.said();
        said.contains("waiting, with the others returned") || said.contains("retrying")
    })
    .await;
    proxy.heal();
    assert!(replay.ended().await.success(), "{}", replay.said());
    assert_eq!(ground.value::<u64>(REPLAYED).await, 60);
    assert_eq!((ground.queued().await, ground.dead_letters().await), (60, 0));
}
