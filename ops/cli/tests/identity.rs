//! One notion of what an id means, on every command: message ids byte for byte, UUIDs in whatever spelling, a post by
//! the id of its message and by its own.

mod support;

use lapin::options::QueuePurgeOptions;
use serde_json::{Value, json};
use sluice_core::post::Post;
use support::{Dead, Ground, post, text};

/// A post under a message id that is not its own.
async fn wrapped(ground: &Ground, message_id: &str, title: &str) -> Post {
    let post = post(title);
    let before = ground.dead_letters().await;
    ground.foreign(&post.to_body(), Some(message_id)).await;
    ground.until_dead(before + 1).await;
    post
}

/// Ways to write the id of a post.
fn spellings(post: &Post) -> [String; 5] {
    let id = post.id.to_string();
    [id.to_uppercase(), format!("{{{id}}}"), format!("urn:uuid:{id}"), id.replace('-', "").to_uppercase(), id]
}

async fn place(ground: &Ground, id: &str, code: i32) -> Value {
    ground.sluice(&["why", id, "--json"]).await.exits(code).object()["place"].clone()
}

fn happened(story: &Value) -> Vec<&str> {
    story["events"].as_array().expect("events").iter().filter_map(|event| event["what"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_differ_in_one_byte_are_two_dead_letters() {
    let ground = Ground::new().await;
    let ids = ["Order-1", "order-1", "order-1 ", "örder-1"];
    for id in ids {
        wrapped(&ground, id, id).await;
    }
    ground.sluice(&["dlq", "drop", "Order-1", "--yes"]).await.ok();
    for id in &ids[1..] {
        ground.sluice(&["dlq", "replay", id, "--yes"]).await.ok();
        let recorded = ground.sluice(&["dlq", "audit", "--dead-letter", id, "--json"]).await.ok().lines();
        assert_eq!((recorded.len(), text(&recorded[0], "outcome").as_str()), (1, "replayed"), "{recorded:?}");
    }
    let dropped = ground.sluice(&["dlq", "dropped", "--json"]).await.ok().lines();
    assert_eq!((dropped.len(), text(&dropped[0], "id").as_str()), (1, "Order-1"), "{dropped:?}");
    assert_eq!(place(&ground, "Order-1", 0).await, "dropped");
    assert_eq!(place(&ground, "ORDER-1", 3).await, "unknown");
    ground.sluice(&["dlq", "restore", "order-1"]).await.exits(1);
    ground.sluice(&["dlq", "restore", "Order-1"]).await.ok();
    assert_eq!(ground.listed().await, ["Order-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_dropped_under_one_prefix_is_not_dropped_under_another_that_differs_in_capitals() {
    let ground = Ground::new().await;
    ground.dead(&Dead::some(1)).await;
    ground.sluice(&["dlq", "drop", "--all", "--yes"]).await.ok();
    let other = ground.prefix.to_uppercase();
    let ran = ground.sluice(&["dlq", "dropped", "--prefix", &other]).await.ok();
    assert!(ran.stdout.is_empty() && ran.stderr.starts_with("0 of 0 dropped dead letters"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_meant_by_the_id_of_its_message_and_by_that_of_its_post_in_any_spelling() {
    let ground = Ground::new().await;
    let post = wrapped(&ground, "order-1", "wrapped").await;
    for name in spellings(&post).iter().map(String::as_str).chain(["order-1"]) {
        assert_eq!(place(&ground, name, 0).await, "dead", "{name}");
        let listed = ground.sluice(&["dlq", "list", "--id", name, "--json"]).await.ok().lines();
        assert_eq!((listed.len(), text(&listed[0], "id").as_str()), (1, "order-1"), "{name}");
        let shown = ground.sluice(&["dlq", "show", name]).await.ok().stdout;
        assert!(shown.contains(&format!("post          {}", post.id)), "{shown}");
        ground.sluice(&["dlq", "edit", name, "--patch", &format!(r#"{{"mood":"{name}"}}"#)]).await.ok();
        ground.sluice(&["dlq", "drop", name, "--yes"]).await.ok();
        assert_eq!(place(&ground, name, 0).await, "dropped", "{name}");
        let dropped = ground.sluice(&["dlq", "dropped", "--id", name, "--json"]).await.ok().lines();
        assert_eq!(dropped.len(), 1, "{name}");
        ground.sluice(&["dlq", "restore", name]).await.ok();
    }
    // Each operation has a name of its own for the dead letter, and the audit log has one.
    let names: u64 = ground.value("SELECT COUNT(DISTINCT dead_letter) FROM operation_items").await;
    assert_eq!(names, 1);
    ground.sluice(&["dlq", "replay", &spellings(&post)[0], "--yes"]).await.ok();
    ground.record(std::slice::from_ref(&post)).await;
    for name in spellings(&post).iter().map(String::as_str).chain(["order-1"]) {
        assert_eq!(place(&ground, name, 0).await, "recorded", "{name}");
        let recorded = ground.sluice(&["dlq", "audit", "--dead-letter", name, "--json"]).await.ok().lines();
        assert_eq!((recorded.len(), &recorded[0]["post"]), (24 + 1, &json!(post.id)), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_dead_letters_with_one_id_the_one_that_was_shown_is_taken() {
    let ground = Ground::new().await;
    wrapped(&ground, "twin", "innocent").await;
    wrapped(&ground, "twin", "spam").await;
    let line = format!("{} dlq drop --contains spam", env!("CARGO_BIN_EXE_sluice"));
    let mut terminal = tokio::process::Command::new("script");
    terminal.args(["-qec", &line, "/dev/null"]).env("SHELL", "/bin/bash").stdin(std::process::Stdio::piped());
    terminal.stdout(std::process::Stdio::piped());
    for (name, value) in ground.command(&[]).as_std().get_envs() {
        if let Some(value) = value {
            terminal.env(name, value);
        }
    }
    let mut child = terminal.spawn().expect("script(1) is there");
    let mut keys = child.stdin.take().expect("a keyboard");
    tokio::io::AsyncWriteExt::write_all(&mut keys, b"y\n").await.expect("it is typed");
    let output = child.wait_with_output().await.expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let left = ground.sluice(&["dlq", "list", "--json"]).await.ok().lines();
    assert_eq!((left.len(), text(&left[0], "title").as_str()), (1, "innocent"), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_died_twice_and_was_replayed_twice_has_both_deaths_in_its_story() {
    let ground = Ground::new().await;
    let first = Dead { age: time::Duration::minutes(2), ..Dead::new("unlucky") };
    let second = Dead {
        age: time::Duration::ZERO,
        message: "Data too long for column 'author' at row 1".to_owned(),
        ..first.clone()
    };
    let id = first.id.to_string();
    let why = async || ground.sluice(&["why", &id, "--json"]).await.ok().object();
    ground.dead(&[first]).await;
    assert_eq!(happened(&why().await), ["submitted", "failed", "dead-lettered"]);
    for death in [Some(second), None] {
        ground.sluice(&["dlq", "replay", &id, "--yes"]).await.ok();
        let queue = ground.topology.queue();
        ground.channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await.expect("the broker answers");
        match death {
            Some(death) => ground.dead(&[death]).await,
            None => ground.record(&[Dead { id: id.parse().expect("an id"), ..Dead::new("unlucky") }.post()]).await,
        }
    }
    let story = why().await;
    let mut kinds = happened(&story);
    kinds.sort_unstable();
    let expected =
        ["dead-lettered", "dead-lettered", "failed", "failed", "recorded", "replayed", "replayed", "submitted"];
    assert_eq!(kinds, expected, "{story}");
    let page = ground.sluice(&["why", &id]).await.ok().stdout;
    for told in ["column 'title'", "column 'author'", "published to the work queue again", "RabbitMQ does not verify"] {
        assert!(page.contains(told), "{told} in {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reason_of_a_drop_is_told_wherever_the_drop_is() {
    let ground = Ground::new().await;
    let dead = Dead::some(1);
    ground.dead(&dead).await;
    let id = dead[0].id.to_string();
    ground.sluice(&["dlq", "drop", &id, "--yes", "--reason", "an old client"]).await.ok();
    let told = async |args: &[&str]| ground.sluice(args).await.ok().stdout;
    assert!(told(&["dlq", "audit"]).await.contains("reason: an old client"));
    assert!(told(&["dlq", "dropped"]).await.contains("an old client"));
    assert!(told(&["dlq", "dropped", "--json"]).await.contains(r#""reason":"an old client""#));
    assert!(told(&["why", &id]).await.contains("reason: an old client"));
    ground.sluice(&["dlq", "restore", &id]).await.ok();
    let shown = told(&["dlq", "show", &id]).await;
    assert!(shown.contains("\noperations\n") && shown.contains("reason: an old client"), "{shown}");
    let unreachable =
        ground.sluice(&["dlq", "show", &id, "--database-url", "mysql://root@127.0.0.1:1/none"]).await.ok();
    assert!(unreachable.stderr.contains("the operations on it cannot be read"), "{unreachable:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_dead_letter_is_meant_by_a_beginning_of_its_id_or_as_the_latest_and_an_exact_id_always_wins() {
    let ground = Ground::new().await;
    for (id, title) in [("order-1", "one"), ("order-10", "ten"), ("shipment", "sent")] {
        wrapped(&ground, id, title).await;
    }
    let last = Dead::new("last");
    ground.dead(std::slice::from_ref(&last)).await;
    let shown = async |id: &str| text(&ground.sluice(&["dlq", "show", id, "--json"]).await.ok().object(), "title");
    assert_eq!(
        (shown("order-1").await, shown("ship").await, shown("latest").await),
        ("one".into(), "sent".into(), "last".into())
    );
    for command in [&["dlq", "show", "orde"][..], &["dlq", "edit", "orde", "--patch", "{}"]] {
        let ran = ground.sluice(command).await.exits(2);
        assert!(
            ran.stderr.contains("begins with orde; give more characters of it\n  order-1\n  order-10\n"),
            "{ran:?}"
        );
    }
    for nobody in ["ord", "Orde"] {
        ground.sluice(&["dlq", "show", nobody]).await.exits(3);
    }
    let edited = ground.sluice(&["dlq", "edit", "latest", "--patch", r#"{"title":"edited"}"#, "--json"]).await.ok();
    assert_eq!(text(&edited.object(), "id"), last.id.to_string());
    assert_eq!(shown(&last.id.to_string()).await, "edited");
}
