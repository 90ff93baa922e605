//! `sluice dlq edit` and `sluice dlq audit`: a body is fixed, its original kept, and each operation and each denial
//! told.

mod audit;
#[path = "../support/mod.rs"]
mod support;

use lapin::options::BasicGetOptions;
use lapin::types::AMQPValue;
use serde_json::{Value, json};
use support::{Dead, Ground, Ran, ids, text};
use tokio::process::Command;

const SHORTER: &str = r#"{"title":"shorter"}"#;

async fn edit(ground: &Ground, id: &str, more: &[&str]) -> Ran {
    ground.sluice(&[&["dlq", "edit", id], more].concat()).await
}

async fn body(ground: &Ground, id: &str) -> Value {
    let ran = ground.sluice(&["dlq", "show", id, "--body"]).await.ok();
    serde_json::from_str(&ran.stdout).expect("the body is JSON")
}

/// The outcomes of the audit log, the latest first, with their details.
async fn recorded(ground: &Ground, id: &str) -> Vec<(String, String)> {
    let lines = ground.sluice(&["dlq", "audit", "--dead-letter", id, "--json"]).await.ok().lines();
    lines.iter().map(|line| (text(line, "outcome"), text(line, "detail"))).collect()
}

/// Runs it on a terminal where somebody has typed `keys` already.
async fn on_a_terminal(ground: &Ground, args: &[&str], editor: &str, keys: &str) -> (Option<i32>, String) {
    let words: Vec<String> = [env!("CARGO_BIN_EXE_sluice")]
        .iter()
        .chain(args)
        .map(|word| format!("'{}'", word.replace('\'', r"'\''")))
        .collect();
    let mut command = Command::new("script");
    command.args(["-qec", &words.join(" "), "/dev/null"]).env("AMQP_URL", &ground.amqp_url);
    command.env("DATABASE_URL", &ground.database_url).env("SLUICE_PREFIX", &ground.prefix).env("RUST_LOG", "warn");
    command.env_remove("VISUAL").env("EDITOR", editor).stdin(std::process::Stdio::piped());
    command.stdout(std::process::Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("util-linux is there");
    let mut stdin = child.stdin.take().expect("a pipe");
    tokio::io::AsyncWriteExt::write_all(&mut stdin, keys.as_bytes()).await.expect("it reads");
    let ran =
        tokio::time::timeout(support::PATIENCE, child.wait_with_output()).await.expect("it ends").expect("it ran");
    (ran.status.code(), String::from_utf8_lossy(&ran.stdout).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patched_dead_letter_takes_the_place_of_the_old_one_and_can_be_undone() {
    let ground = Ground::new().await;
    let dead = Dead::some(3);
    ground.dead(&dead).await;
    let all = ids(&dead);
    let before = ground.exported().await;
    let ran = edit(&ground, &all[1], &["--patch", r#"{"title":"shorter","mood":1,"author":null}"#]).await.ok();
    assert!(ran.stdout.contains("edited") && ran.stdout.contains("--undo"), "{ran:?}");
    assert_eq!(ground.listed().await, [&all[0], &all[2], &all[1]].map(String::clone));
    let after = body(&ground, &all[1]).await;
    assert_eq!((&after["title"], &after["id"], &after["mood"]), (&json!("shorter"), &json!(all[1]), &json!(1)));
    let operation: String = ground.value("SELECT id FROM operations").await;
    let shown = ground.sluice(&["dlq", "show", &all[1], "--json"]).await.ok().object();
    assert_eq!(shown["headers"]["sluice-edited"], json!(operation));
    assert_eq!(shown["code"], "mysql_1406", "why it died is not forgotten");

    edit(&ground, &all[1], &["--patch", r#"{"title":"shortest"}"#]).await.ok();
    edit(&ground, &all[1], &["--undo"]).await.ok();
    assert_eq!(body(&ground, &all[1]).await, after, "one edit after the other");
    let ran = edit(&ground, &all[1], &["--undo", "--json"]).await.ok().object();
    assert_eq!(ran["outcome"], "reverted");
    assert_eq!(ground.exported().await, before);
    let ran = edit(&ground, &all[1], &["--undo"]).await.ok();
    assert!(ran.stdout.contains("was not edited"), "{ran:?}");
    let told: Vec<String> = recorded(&ground, &all[1]).await.into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(told, ["reverted", "archived", "reverted", "archived", "edited", "archived", "edited", "archived"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_dead_letter_is_replayed_as_it_was_edited_and_not_undone_after_that() {
    let ground = Ground::new().await;
    let dead = Dead::some(1);
    ground.dead(&dead).await;
    let id = dead[0].id.to_string();
    edit(&ground, &id, &["--patch", SHORTER]).await.ok();
    ground.sluice(&["dlq", "replay", &id, "--yes"]).await.ok();
    let gone = edit(&ground, &id, &["--undo"]).await.exits(3);
    assert!(gone.stderr.contains("no dead letter"), "{gone:?}");
    let got = ground.channel.basic_get(ground.topology.queue().into(), BasicGetOptions { no_ack: false }).await;
    let message = got.expect("the broker answers").expect("it waits").delivery;
    let post: Value = serde_json::from_slice(&message.data).expect("JSON");
    assert_eq!(post["title"], "shorter");
    let headers = message.properties.headers().clone().expect("headers");
    assert!(matches!(headers.inner().get("sluice-edited"), Some(AMQPValue::LongString(_))), "{headers:?}");
    // It dies once more.
    let reject = lapin::options::BasicRejectOptions { requeue: false };
    message.acker.reject(reject).await.expect("it is rejected");
    ground.until_dead(1).await;
    let ran = edit(&ground, &id, &["--undo"]).await.exits(1);
    assert!(ran.stderr.contains("was replayed after the edit"), "{ran:?}");
    assert_eq!(body(&ground, &id).await["title"], "shorter");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_that_changes_nothing_does_nothing() {
    let ground = Ground::new().await;
    let dead = Dead::some(1);
    ground.dead(&dead).await;
    let id = dead[0].id.to_string();
    let patch = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(patch.path(), json!({ "title": dead[0].title, "author": null }).to_string()).expect("written");
    let file = format!("@{}", patch.path().display());
    let ran = edit(&ground, &id, &["--patch", &file, "--json"]).await.ok();
    assert_eq!(ran.object()["outcome"], "unchanged");
    assert_eq!(ground.value::<u32>("SELECT COUNT(*) FROM operations").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_request_changes_nothing() {
    let ground = Ground::new().await;
    let dead = Dead::some(1);
    ground.dead(&dead).await;
    let id = dead[0].id.to_string();
    for (more, told) in [
        (&[][..], "no terminal"),
        (&["--patch", "{title:1}"], "--patch"),
        (&["--patch", "[1]"], "--patch"),
        (&["--patch", "@/no/such/file"], "/no/such/file"),
        (&["--patch", SHORTER, "--undo"], "--undo"),
    ] {
        let ran = edit(&ground, &id, more).await.exits(2);
        assert!(ran.stderr.contains(told) && ran.stdout.is_empty(), "{more:?}: {ran:?}");
    }
    let ran = edit(&ground, "nobody", &["--patch", SHORTER]).await.exits(3);
    assert!(ran.stderr.contains("nobody"), "{ran:?}");
    let unreachable = ["--patch", SHORTER, "--database-url", "mysql://root:hunter2@127.0.0.1:1/none"];
    let ran = edit(&ground, &id, &unreachable).await.exits(1);
    assert!(ran.stderr.contains("could not be recorded") && !ran.stderr.contains("hunter2"), "{ran:?}");
    ground.foreign(b"no json", Some("text")).await;
    let ran = edit(&ground, "text", &["--patch", SHORTER]).await.exits(1);
    assert!(ran.stderr.contains("not JSON"), "{ran:?}");
    assert_eq!(ground.value::<u32>("SELECT COUNT(*) FROM operation_items WHERE outcome <> 'denied'").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_is_killed_leaves_a_pair_that_the_next_one_makes_one() {
    let ground = Ground::new().await;
    let dead = Dead::some(2);
    ground.dead(&dead).await;
    let id = dead[0].id.to_string();
    let before = ground.exported().await;
    let patch = ["dlq", "edit", &id, "--patch", SHORTER];
    ground.killed_at("edit_confirmed=return", &patch).await;
    ground.until_dead(3).await;
    ground.sluice(&patch).await.ok();
    assert_eq!(ground.listed().await, [dead[1].id.to_string(), id.clone()], "run the same command again");
    assert_eq!(body(&ground, &id).await["title"], "shorter");
    edit(&ground, &id, &["--undo"]).await.ok();
    assert_eq!(ground.exported().await, before);

    ground.killed_at("edit_confirmed=return", &patch).await;
    ground.until_dead(3).await;
    edit(&ground, &id, &["--undo"]).await.ok();
    assert_eq!(ground.exported().await, before, "or it is given up");

    ground.sluice(&patch).await.ok();
    ground.killed_at("edit_confirmed=return", &["dlq", "edit", &id, "--undo"]).await;
    ground.until_dead(3).await;
    edit(&ground, &id, &["--undo"]).await.ok();
    assert_eq!(ground.exported().await, before, "an undoing that was cut short goes on, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_without_an_id_is_fixed_by_giving_it_one() {
    let ground = Ground::new().await;
    ground.foreign(br#"{"title":"t","content":"c"}"#, None).await;
    ground.until_dead(1).await;
    let before = ground.exported().await;
    let id = ground.listed().await.remove(0);
    edit(&ground, &id, &["--patch", SHORTER]).await.exits(1);
    let patch = r#"{"id":"0193a5b2-7c55-7000-8000-00000000e1b4"}"#;
    let ran = edit(&ground, &id, &["--patch", patch]).await.ok();
    let now = ground.listed().await.remove(0);
    assert!(now != id && ran.stdout.contains(&now), "{ran:?}");
    edit(&ground, &now, &["--undo"]).await.ok();
    assert_eq!(ground.exported().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editor_shows_the_body_and_a_mistake_can_be_fixed_or_given_up() {
    let ground = Ground::new().await;
    let dead = [Dead::new("too long"), Dead::new("second"), Dead::new("third")];
    ground.dead(&dead).await;
    let all = ids(&dead);
    let (code, said) = on_a_terminal(&ground, &["dlq", "edit", &all[0]], "sed -i s/too.long/short/", "").await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(body(&ground, &all[0]).await["title"], "short");
    let (code, said) = on_a_terminal(&ground, &["dlq", "edit", &all[1]], "true", "").await;
    assert!(code == Some(0) && said.contains("unchanged"), "{said}");
    let (code, said) = on_a_terminal(&ground, &["dlq", "edit", &all[1]], "sed -i s/title/tittle/", "n\n").await;
    assert!(code == Some(1) && said.contains("`title` is missing") && said.contains("Edit again?"), "{said}");
    let (outcome, detail) = recorded(&ground, &all[1]).await.remove(0);
    assert!(outcome == "denied" && detail.contains("answered no"), "{detail}");
    // The second time it goes on where the first ended.
    let fix = r#"f() { if grep -q tittle "$1"; then sed -i s/tittle/title/ "$1"; else sed -i -e s/title/tittle/ -e s/second/2nd/ "$1"; fi; }; f"#;
    let (code, said) = on_a_terminal(&ground, &["dlq", "edit", &all[1]], fix, "\n").await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(body(&ground, &all[1]).await["title"], "2nd");
    let (code, said) = on_a_terminal(&ground, &["dlq", "edit", &all[2]], "false", "").await;
    assert!(code == Some(1) && said.contains("nothing was done"), "{said}");
}
