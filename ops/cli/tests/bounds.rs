//! Nothing that looks at dead letters, or operations on them, takes memory or time by what strangers put there.

mod support;

use std::time::Duration;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};
use sluice_lab::devstack::{Stack, StackOptions};
use sluice_rabbit::dead_letters::DeadLetterSummary;
use support::{Dead, Ground, Ran, ids, text, until};
use tokio::process::Child;

const MIB: usize = 1024 * 1024;

/// The most memory that a command may have taken while it ran.
const PEAK: usize = 128 * MIB;

/// Runs a command to its end; gives the most memory that it had, too.
async fn measured(ground: &Ground, args: &[&str]) -> (Ran, usize) {
    let child = ground.start(args);
    let pid = child.id().expect("it runs");
    let peak = tokio::spawn(async move {
        let mut peak = 0;
        while let Ok(status) = tokio::fs::read_to_string(format!("/proc/{pid}/status")).await {
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let Some(kib) = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<usize>().ok()) else { break };
            peak = kib * 1024;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        peak
    });
    let ran = finished(child).await;
    (ran, peak.await.expect("it was measured"))
}

/// Waits for its end, for as long as it takes to move half a gigabyte on a busy machine.
async fn finished(child: Child) -> Ran {
    let output = tokio::time::timeout(Duration::from_secs(300), child.wait_with_output()).await;
    Ran::new(output.expect("it comes to an end").expect("its output can be read"))
}

fn large(title: &str, bytes: usize) -> Vec<u8> {
    json!({ "title": title, "content": "x".repeat(bytes) }).to_string().into_bytes()
}

/// What a command may take. What goes to the archive or comes from it is in memory as a dead letter, as the archive's
/// text and as the statement or the message that carries it.
fn most(args: &[&str]) -> usize {
    if ["drop", "restore"].contains(&args[1]) { PEAK + 6 * 8 * MIB } else { PEAK }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_dozen_dead_letters_of_eight_mebibytes_are_looked_at_in_128_mebibytes_and_archived_in_176() {
    let ground = Ground::new().await;
    // Half as much again as may be held. No JSON: a program without optimisations takes long to read so much of it.
    let body = vec![b'x'; 8 * MIB];
    for number in 0..24 {
        ground.foreign(&body, Some(&format!("large-{number:02}"))).await;
    }
    ground.until_dead(24).await;
    let names: Vec<String> = (0..24).map(|number| format!("large-{number:02}")).collect();
    for args in [
        &["dlq", "list", "--json"][..],
        &["dlq", "groups", "--json"],
        &["dlq", "show", "large-23", "--json"],
        &["dlq", "export", "--id", "large-07"],
        &["dlq", "replay", "--all", "--dry-run"],
        &["dlq", "replay", "large-00", "large-12", "large-23", "--yes"],
        &["dlq", "drop", "large-01", "large-13", "large-22", "--yes"],
        &["dlq", "dropped", "--json"],
        &["dlq", "restore", "--all"],
    ] {
        let (ran, peak) = measured(&ground, args).await;
        println!("{args:?}: {} MiB", peak / MIB);
        ran.ok();
        assert!(peak < most(args), "{args:?} took {} MiB", peak / MIB);
    }
    let mut listed = ground.listed().await;
    assert_eq!(listed[..18], [&names[2..12], &names[14..22]].concat(), "the others keep their order");
    listed.sort();
    assert_eq!(listed.len(), 21);
    // The whole of it, as fast as it goes.
    for (args, left) in [
        (&["dlq", "replay", "--all", "--limit", "8", "--yes"][..], 13),
        (&["dlq", "drop", "--all", "--limit", "8", "--yes"], 5),
    ] {
        let (ran, peak) = measured(&ground, args).await;
        println!("{args:?}: {} MiB", peak / MIB);
        ran.ok();
        assert!(peak < most(args), "{args:?} took {} MiB", peak / MIB);
        assert_eq!(ground.dead_letters().await, left);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_strangers_wrote_is_cut_and_their_kinds_are_counted_together() {
    let ground = Ground::new().await;
    let forged = |number: usize| {
        let mut record = serde_json::to_value(Dead::new("x").record(&ground.topology)).expect("a record");
        record["fingerprint"] = json!(format!("{number:012x}"));
        let mut headers = FieldTable::default();
        headers.insert("sluice-failure".into(), AMQPValue::LongString(record.to_string().into()));
        headers
    };
    let exchange = ground.topology.dead_letter_exchange();
    for number in 0..1100 {
        let properties = BasicProperties::default().with_message_id(format!("f{number}").into());
        ground.publish(&exchange, b"{}", properties.with_headers(forged(number))).await;
    }
    let long = json!({ "title": "t".repeat(100_000) }).to_string();
    ground.foreign(long.as_bytes(), Some("long")).await;
    ground.until_dead(1101).await;
    let groups = ground.sluice(&["dlq", "groups", "--json"]).await.ok();
    let lines = groups.lines();
    assert_eq!((lines.len(), &lines[1000]["fingerprint"], &lines[1000]["count"]), (1001, &json!(null), &json!(101)));
    assert!(groups.stderr.is_empty(), "{}", groups.stderr);
    let listed = ground.sluice(&["dlq", "list", "--json", "--id", "long"]).await.ok().lines();
    let title = text(&listed[0], "title");
    assert!(title.len() <= 8 * 1024 && title.ends_with('…'), "{}", title.len());
    serde_json::from_value::<DeadLetterSummary>(listed[0].clone()).expect("it is read back");
    let shown = ground.sluice(&["dlq", "show", "long", "--body"]).await.ok();
    assert_eq!(shown.stdout, long, "the dead letter itself is whole");
}

/// Servers of the test's own, whose settings it may change.
async fn own(consumer_timeout: Option<Duration>) -> (Ground, Stack) {
    let stack = Stack::start(StackOptions { consumer_timeout, ..StackOptions::default() }).await.expect("servers");
    let ground = Ground::on(&stack.amqp_url(), &stack.database_url("none")).await;
    (ground, stack)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_lasts_longer_than_the_brokers_consumer_timeout_replays_each_dead_letter_once() {
    let (ground, _stack) = own(Some(Duration::from_secs(15))).await;
    let mut dead = Dead::some(60);
    for dead_letter in dead.iter_mut().step_by(2) {
        dead_letter.code = "malformed";
    }
    ground.dead(&dead).await;
    let (chosen, others): (Vec<Dead>, Vec<Dead>) = dead.iter().cloned().partition(|one| one.code == "malformed");
    let replay = ground.start(&["dlq", "replay", "--code", "malformed", "--rate", "1", "--yes", "--json"]);
    until("some are replayed", async || ground.queued().await > 2).await;
    // Somebody who looks meanwhile gets the lock, and sees all that are there.
    let listed = ground.listed().await;
    assert!(ids(&others).iter().all(|id| listed.contains(id)), "{listed:?}");
    let ran = finished(replay).await.ok();
    assert_eq!(ran.lines().iter().map(|line| text(line, "id")).collect::<Vec<_>>(), ids(&chosen), "{}", ran.stderr);
    assert!(ran.lines().iter().all(|line| line["outcome"] == "replayed"), "{ran:?}");
    assert_eq!((ground.queued().await, ground.listed().await), (30, ids(&others)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_the_record_cannot_keep_is_named_and_the_others_are_done() {
    let (ground, _stack) = own(None).await;
    ground.sql("SET GLOBAL max_allowed_packet = 2097152").await;
    let dead = Dead::some(4);
    ground.dead(&dead[..2]).await;
    ground.foreign(&large("huge", 3 * MIB), Some("huge")).await;
    ground.dead(&dead[2..]).await;
    ground.until_dead(5).await;
    let ran = ground.sluice(&["dlq", "drop", "--all", "--yes"]).await.exits(3);
    assert!(ran.stdout.starts_with("4 dropped, 1 failed"), "{ran:?}");
    for told in ["huge: not dropped", "max_allowed_packet = 4194304"] {
        assert!(ran.stderr.contains(told), "{told} in {ran:?}");
    }
    assert_eq!(ground.listed().await, ["huge"]);
    let edit = ["dlq", "edit", "huge", "--patch", r#"{"content":"short"}"#, "--even-if-invalid"];
    let ran = ground.sluice(&edit).await.exits(1);
    assert!(ran.stderr.contains("max_allowed_packet") && !ran.stderr.contains("is it running"), "{ran:?}");
    let exported = ground.sluice(&["dlq", "export"]).await.ok();
    assert_eq!(exported.lines()[0]["id"], "huge");
    ground.sql("SET GLOBAL max_allowed_packet = 4194304").await;
    ground.sluice(&["dlq", "drop", "huge", "--yes"]).await.ok();
    ground.sluice(&["dlq", "restore", "huge"]).await.ok();
    assert_eq!(ground.listed().await, ["huge"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_tells_of_each_line_and_one_that_the_broker_cannot_take_costs_itself_only() {
    let ground = Ground::new().await;
    ground.dead(&Dead::some(6)).await;
    let exported = ground.sluice(&["dlq", "export"]).await.ok().stdout;
    let mut lines: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let names: Vec<String> = lines.iter().map(|line| text(line, "id")).collect();
    lines[3]["dead_letter"]["headers"]["x"] = json!("h".repeat(200_000));
    let file = tempfile::Builder::new().prefix(&ground.prefix).tempfile().expect("a file");
    let written: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(file.path(), written).expect("it can be written");
    let path = file.path().to_str().expect("a plain path");
    ground.sluice(&["dlq", "drop", "--all", "--yes"]).await.ok();

    let ran = ground.sluice(&["dlq", "import", path]).await.exits(3);
    assert!(ran.stdout.starts_with("5 imported, 1 failed (recorded"), "{ran:?}");
    assert!(ran.stderr.contains(&format!("{}: not imported: line 4: its headers have 20", names[3])), "{ran:?}");
    let kept = [&names[..3], &names[4..]].concat();
    assert_eq!(ground.listed().await, kept, "it says what is there");
    let again = ground.sluice(&["dlq", "import", path, "--json"]).await.exits(1);
    let outcomes: Vec<String> = again.lines().iter().map(|line| text(line, "outcome")).collect();
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "present").count(), 5, "{again:?}");
    assert_eq!(ground.dead_letters().await, 5, "nothing is doubled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_whose_replay_the_broker_cannot_take_stays_and_the_others_go() {
    let ground = Ground::new().await;
    let dead = Dead::some(2);
    ground.dead(&dead[..1]).await;
    // Its headers fit into a frame, and do not with the two that a replay adds.
    let mut headers = FieldTable::default();
    headers.insert("x".into(), AMQPValue::LongString("h".repeat(131_072 - 90).into()));
    let properties = BasicProperties::default().with_message_id("full".into()).with_headers(headers);
    ground.publish(&ground.topology.dead_letter_exchange(), b"{}", properties).await;
    ground.dead(&dead[1..]).await;
    ground.until_dead(3).await;
    let ran = ground.sluice(&["dlq", "replay", "--all", "--yes"]).await.exits(3);
    assert!(ran.stdout.starts_with("2 replayed, 1 failed") && ran.stderr.contains("frame_max"), "{ran:?}");
    assert_eq!((ground.listed().await, ground.queued().await), (vec!["full".to_owned()], 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_table_is_estimated_and_counted_only_when_asked() {
    let ground = Ground::new().await;
    ground.record(&[support::post("one")]).await;
    let doubled = "INSERT INTO posts SELECT UUID(), title, content, author, verdict, reasons, ruleset, submitted_at, \
                   reviewed_at, recorded_at, worker, attempts, scores, sender FROM posts";
    for _ in 0..18 {
        ground.sql(doubled).await;
    }
    let status = async |args: &[&str]| {
        let ran = ground.sluice(&[&["status", "--json"], args].concat()).await.ok();
        ran.lines().remove(0)
    };
    let about = status(&[]).await;
    assert_eq!((&about["posts"]["exact"], &about["posts"]["by_verdict"]), (&json!(false), &json!(null)));
    assert_eq!(about["posts"]["sample"], json!({ "approved": 1000, "held": 0, "rejected": 0 }));
    assert!(about["posts"]["total"].as_u64().expect("a number") >= 200_000, "{about}");
    let counted = status(&["--exact"]).await;
    assert_eq!((&counted["posts"]["exact"], &counted["posts"]["total"]), (&json!(true), &json!(1 << 18)));
    let page = ground.sluice(&["status"]).await.ok().stdout;
    assert!(page.contains("posts stored  about ") && page.contains("--exact counts"), "{page}");
}
