//! What the audit log says: each operation and each denial, by whom and on which dead letter.

use serde_json::{Value, json};

use super::support::{Dead, Ground, ids, text};
use super::{body, edit, on_a_terminal, recorded};

#[tokio::test(flavor = "multi_thread")]
async fn what_no_worker_would_take_is_refused_by_its_field_and_the_denial_recorded() {
    let ground = Ground::new().await;
    let dead = Dead::some(1);
    ground.dead(&dead).await;
    let id = dead[0].id.to_string();
    let before = ground.exported().await;
    for (patch, told) in [
        (r#"{"title":null}"#.to_owned(), "`title` is missing"),
        (r#"{"content":5}"#.to_owned(), "`content` must be a string"),
        (json!({"title": "x".repeat(256)}).to_string(), "`title` has 256 characters"),
        (r#"{"submitted_at":"soon"}"#.to_owned(), "`submitted_at`"),
        (r#"{"id":"0193a5b2-7c55-7000-8000-00000000e1b4"}"#.to_owned(), "must not change"),
    ] {
        let ran = edit(&ground, &id, &["--patch", &patch]).await.exits(1);
        assert!(ran.stderr.contains(told) && ran.stderr.contains("nothing was done"), "{told}: {ran:?}");
        let (outcome, detail) = recorded(&ground, &id).await.remove(0);
        assert!(outcome == "denied" && detail.contains(told), "{outcome} {detail}");
    }
    assert_eq!(ground.exported().await, before);
    let new_id = ["--even-if-invalid", "--patch", r#"{"id":"0193a5b2-7c55-7000-8000-00000000e1b4"}"#];
    edit(&ground, &id, &new_id).await.exits(1);
    edit(&ground, &id, &["--even-if-invalid", "--patch", r#"{"title":null}"#]).await.ok();
    assert_eq!(body(&ground, &id).await["title"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_no_is_on_the_record_and_nothing_is_done() {
    let ground = Ground::new().await;
    let dead = Dead::some(2);
    ground.dead(&dead).await;
    for (operation, kind) in [(&["drop"][..], "drop"), (&["drop", "--forever"], "destroy"), (&["replay"], "replay")] {
        let (code, said) = on_a_terminal(&ground, &[&["dlq"], operation, &["--all"]].concat(), "true", "n\n").await;
        assert!(code == Some(1) && said.contains("nothing was done"), "{said}");
        assert!(kind != "destroy" || said.contains("with no copy and no undo"), "{said}");
        let lines = ground.sluice(&["dlq", "audit", "--limit", "2", "--json"]).await.ok().lines();
        for line in &lines {
            assert_eq!(
                (&line["kind"], &line["outcome"], &line["detail"]),
                (&json!(kind), &json!("denied"), &json!("answered no"))
            );
            assert!(text(line, "actor").contains('@') && line["archived"] == false, "{line}");
        }
    }
    assert_eq!(ground.listed().await, ids(&dead));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_says_who_did_what_to_which_dead_letters_the_latest_first() {
    let ground = Ground::new().await;
    let nothing = ground.sluice(&["dlq", "audit"]).await.ok();
    assert!(nothing.stdout.is_empty() && nothing.stderr.contains("no operations are recorded"), "{nothing:?}");
    let dead = Dead::some(2);
    ground.dead(&dead).await;
    let all = ids(&dead);
    ground.sluice(&["dlq", "drop", &all[0], "--yes", "--reason", "spam"]).await.ok();
    ground.sluice(&["dlq", "restore", &all[0]]).await.ok();
    ground.sluice(&["dlq", "replay", &all[1], "--yes"]).await.ok();
    let table = ground.sluice(&["dlq", "audit"]).await.ok();
    assert_eq!(table.stdout.lines().count(), 4, "{table:?}");
    let lines = ground.sluice(&["dlq", "audit", "--json"]).await.ok().lines();
    let told: Vec<String> = lines.iter().map(|line| text(line, "outcome")).collect();
    assert_eq!(told, ["replayed", "restored", "dropped"]);
    assert_eq!((&lines[2]["undone_by"], &lines[2]["archived"]), (&lines[1]["operation"], &json!(true)));
    assert_eq!(lines[2]["asked"]["reason"], "spam");
    assert_eq!(recorded(&ground, &all[1]).await.len(), 1);
    assert_eq!(ground.sluice(&["dlq", "audit", "--limit", "1", "--json"]).await.ok().lines().len(), 1);
    let unreachable = ["dlq", "audit", "--database-url", "mysql://root@127.0.0.1:1/none"];
    ground.sluice(&unreachable).await.exits(1);
}
