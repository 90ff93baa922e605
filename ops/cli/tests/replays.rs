//! What became of replayed dead letters: told per dead letter, counted, and never guessed from clocks.

mod support;

use std::collections::BTreeMap;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use support::{Dead, Ground, Ran, ids, text, until};

/// The ids of the replays there were, the newest first.
async fn replays(ground: &Ground) -> Vec<Value> {
    ground.sluice(&["replays", "--json"]).await.ok().lines()
}

/// The outcome of each dead letter of a replay.
async fn outcomes(ground: &Ground, id: &str) -> BTreeMap<String, String> {
    let ran = ground.sluice(&["replays", "show", id, "--json"]).await.ok();
    ran.lines().iter().map(|line| (text(line, "id"), text(line, "outcome"))).collect()
}

/// Waits until no dead letter of a replay waits.
async fn until_known(ground: &Ground, id: &str) {
    until("every fate is known", async || !outcomes(ground, id).await.values().any(|name| name == "waiting")).await;
}

fn replayed(ran: Ran) -> Ran {
    assert!(ran.stdout.contains("recorded as operation"), "{ran:?}");
    ran
}

/// A post that no table takes, told in the way of `Dead`.
fn too_long() -> Dead {
    Dead::new(&"x".repeat(300))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_dead_letter_of_a_replay_is_told_what_became_of_it() {
    let ground = Ground::new().await;
    let mut dead = Dead::some(2);
    dead.push(too_long());
    ground.dead(&dead).await;
    let all = ids(&dead);
    ground.record(&[dead[1].post()]).await;
    replayed(ground.sluice(&["dlq", "replay", "--all", "--yes"]).await.ok());
    let first = text(&replays(&ground).await[0], "id");
    let waiting = outcomes(&ground, &first).await;
    assert_eq!([&waiting[&all[0]], &waiting[&all[1]], &waiting[&all[2]]], ["waiting", "already_recorded", "waiting"]);

    let _worker = ground.worker(&[]);
    until_known(&ground, &first).await;
    let told = ground.sluice(&["replays", "show", &first[..30], "--json"]).await.ok();
    let failed = told.lines().into_iter().find(|line| text(line, "id") == all[2]).expect("it is told");
    assert_eq!((text(&failed, "outcome"), text(&failed, "code")), ("failed_again".to_owned(), "mysql_1406".to_owned()));
    assert!(text(&failed, "message").contains("title"), "{failed}");
    assert!(told.stderr.contains("1 recorded, 1 already recorded, 1 failed again"), "{told:?}");

    replayed(ground.sluice(&["dlq", "replay", &all[2], "--yes"]).await.ok());
    let second = text(&replays(&ground).await[0], "id");
    until_known(&ground, &second).await;
    let again = ground.sluice(&["replays", "show", &first]).await.ok();
    assert!(again.stdout.contains(&format!("by operation {second}")), "{again:?}");
    ground.sluice(&["dlq", "drop", &all[2], "--yes"]).await.ok();
    assert_eq!(outcomes(&ground, &first).await[&all[2]], "replayed_again");
    assert_eq!(outcomes(&ground, &second).await[&all[2]], "dropped");
    let listed = replays(&ground).await;
    assert_eq!((listed.len(), &listed[1]["outcomes"]["replayed_again"]), (2, &json!(1)), "{listed:?}");
    assert_eq!(listed[1]["dead_letters"], json!(3));
    let text = ground.sluice(&["replays", "--limit", "1"]).await.ok().stdout;
    assert!(text.contains("1 dropped") && !text.contains(&first) && text.contains(&format!("id {}", all[2])), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_without_an_id_is_followed_by_the_id_of_its_post() {
    let ground = Ground::new().await;
    let post = Dead::new("nameless").post();
    ground.foreign(&post.to_body(), None).await;
    ground.foreign(b"no post", None).await;
    ground.until_dead(2).await;
    replayed(ground.sluice(&["dlq", "replay", "--all", "--yes"]).await.ok());
    let id = text(&replays(&ground).await[0], "id");
    let _worker = ground.worker(&[]);
    until_known(&ground, &id).await;
    let mut fates: Vec<String> = outcomes(&ground, &id).await.into_values().collect();
    fates.sort();
    assert_eq!(fates, ["failed_again", "recorded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_nobody_knows_is_named_and_one_of_several_is_asked_for() {
    let ground = Ground::new().await;
    let ran = ground.sluice(&["replays"]).await.ok();
    assert!(ran.stderr.contains("no replays are recorded") && ran.stdout.is_empty(), "{ran:?}");
    let dead = Dead::some(2);
    ground.dead(&dead).await;
    for dead_letter in ids(&dead) {
        ground.sluice(&["dlq", "replay", &dead_letter, "--yes"]).await.ok();
    }
    for unknown in ["ffff", "nobody", "%", "_"] {
        let ran = ground.sluice(&["replays", "show", unknown]).await.exits(3);
        assert!(ran.stderr.contains(unknown) && ran.stdout.is_empty(), "{ran:?}");
    }
    let ran = ground.sluice(&["replays", "show", "0"]).await.exits(2);
    let told = replays(&ground).await;
    assert!(told.iter().all(|replay| ran.stderr.contains(&text(replay, "id"))), "{ran:?}");
    ground.sluice(&["replays", "--limit", "0"]).await.exits(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_told_the_counts_and_that_some_failed_again() {
    let ground = Ground::new().await;
    let mut dead = Dead::some(3);
    dead.push(too_long());
    ground.dead(&dead).await;
    let _worker = ground.worker(&[]);
    let all = ids(&dead);
    ground.sluice(&["dlq", "replay", &all[0], "--yes", "--wait"]).await.ok();
    let ran = ground.sluice(&["dlq", "replay", "--all", "--yes", "--wait"]).await.exits(3);
    assert!(ran.stdout.contains("2 recorded, 1 failed again") && ran.stderr.contains("mysql_1406"), "{ran:?}");
    let id = text(&replays(&ground).await[0], "id");
    assert!(ran.stderr.contains(&format!("sluice replays show --prefix {} {id}", ground.prefix)), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_waiting_is_told_how_to_ask_later() {
    let ground = Ground::new().await;
    let dead = Dead::some(2);
    ground.dead(&dead).await;
    let mut replay = ground.spoken(&ground.database_url, &["dlq", "replay", "--all", "--yes", "--wait"]);
    // Stopped before it says this, it is stopped in the replay and not in the wait.
    replay.says("2 replayed", 1).await;
    replay.signal(Signal::SIGINT);
    let (ended, said) = (replay.ended().await, replay.said());
    assert_eq!(ended.code(), Some(130), "{said}");
    let id = text(&replays(&ground).await[0], "id");
    assert!(said.contains(&format!("sluice replays show --prefix {} {id}", ground.prefix)), "{said}");
    assert!(said.contains("no worker answers"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_replayed_too_often_is_left_unless_it_is_forced() {
    let ground = Ground::new().await;
    let dead = [too_long()];
    ground.dead(&dead).await;
    let id = dead[0].id.to_string();
    let _worker = ground.worker(&[]);
    for _ in 0..3 {
        ground.sluice(&["dlq", "replay", &id, "--yes", "--wait"]).await.exits(3);
    }
    ground.dead(&Dead::some(1)).await;
    ground.until_dead(2).await;
    let ran = ground.sluice(&["dlq", "replay", "--all", "--yes", "--json", "--wait"]).await.exits(3);
    let told = ran.lines();
    assert_eq!((text(&told[0], "id"), text(&told[0], "outcome")), (id.clone(), "left".to_owned()));
    assert!(text(&told[0], "detail").contains("3 times"), "{told:?}");
    assert!(ran.stderr.contains("1 replayed, 1 left in the queue"), "{ran:?}");
    assert_eq!(ground.listed().await, std::slice::from_ref(&id));
    let last = text(&replays(&ground).await[0], "id");
    assert_eq!(outcomes(&ground, &last).await[&id], "left");
    ground.sluice(&["dlq", "replay", &id, "--yes"]).await.exits(3);
    ground.sluice(&["dlq", "replay", &id, "--yes", "--force", "--wait"]).await.exits(3);
    let listed = ground.sluice(&["dlq", "list", "--json"]).await.ok().lines();
    assert_eq!(listed[0]["replays"], json!(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_fails_again_stops_the_replay_and_one_that_does_not_lets_it_go_on() {
    let ground = Ground::new().await;
    let bad: Vec<Dead> = (0..5).map(|_| too_long()).collect();
    let good = Dead::some(15);
    ground.dead(&[bad.clone(), good.clone()].concat()).await;
    let _worker = ground.worker(&[]);
    let canary = ["dlq", "replay", "--all", "--yes", "--canary", "5", "--abort-over"];
    let ran = ground.sluice(&[&canary[..], &["50%"]].concat()).await.exits(3);
    assert!(
        ran.stdout.contains("5 of the canary's 5 dead letters failed again") && ran.stdout.contains("mysql_1406"),
        "{ran:?}"
    );
    assert_eq!(ground.dead_letters().await, 20);
    // The others stand first now. Those of the canary that died again are not taken a second time.
    let ran = ground.sluice(&["dlq", "replay", "--all", "--yes", "--canary", "10"]).await.ok();
    assert!(ran.stdout.starts_with("20 replayed") && ran.stderr.contains("0 of the 10 failed again"), "{ran:?}");
    let rows = async || ground.value::<u64>("SELECT COUNT(*) FROM posts").await;
    until("all good ones are stored", async || rows().await == 15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_again_in_a_canary_is_not_replayed_twice_by_it() {
    let ground = Ground::new().await;
    let mut dead = Dead::some(9);
    dead.insert(0, too_long());
    ground.dead(&dead).await;
    let _worker = ground.worker(&[]);
    let args = ["dlq", "replay", "--all", "--yes", "--canary", "4", "--abort-over", "25", "--wait"];
    let ran = ground.sluice(&args).await.exits(3);
    assert!(ran.stdout.starts_with("10 replayed") && ran.stdout.contains("9 recorded, 1 failed again"), "{ran:?}");
    let listed = ground.sluice(&["dlq", "list", "--json"]).await.ok().lines();
    assert_eq!((listed.len(), &listed[0]["replays"]), (1, &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_cannot_be_read_names_its_flag_and_the_forms() {
    let ground = Ground::new().await;
    for (args, told) in [
        (&["--canary", "few"][..], ["--canary", "like 100"]),
        (&["--canary", "0"], ["--canary", "like 100"]),
        (&["--canary", "5", "--abort-over", "most"], ["--abort-over", "10%"]),
        (&["--canary", "5", "--abort-over", "101"], ["--abort-over", "10%"]),
        (&["--abort-over", "10"], ["--canary", "required"]),
        (&["--rate", "fast"], ["--rate", "like 100"]),
        (&["--limit", "0"], ["--limit", "like 100"]),
        (&["--max-replays", "none"], ["--max-replays", "like 100"]),
    ] {
        let ran = ground.sluice(&[&["dlq", "replay", "--all", "--yes"], args].concat()).await.exits(2);
        assert!(told.iter().all(|word| ran.stderr.contains(word)), "{ran:?}");
    }
}
