//! `sluice dlq groups`: what kinds of dead letters there are.

mod support;

use serde_json::json;
use sluice_core::post::Post;
use sluice_core::verdict::{Review, Verdict};
use sluice_mysql::Row;
use support::{Dead, Ground, post, text};
use time::{Duration, OffsetDateTime};

fn too_long(row: u32, age: Duration) -> Dead {
    Dead { message: format!("Data too long for column 'title' at row {row}"), age, ..Dead::new("too long") }
}

fn locked(age: Duration) -> Dead {
    Dead { code: "mysql_1205", message: "Lock wait timeout exceeded".to_owned(), age, ..Dead::new("locked") }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_that_differ_in_numbers_only_are_one_kind_and_strangers_have_theirs() {
    let ground = Ground::new().await;
    let dead = [too_long(1, Duration::hours(3)), too_long(22, Duration::minutes(5)), locked(Duration::ZERO)];
    ground.dead(&dead).await;
    ground.foreign(b"?", Some("no-uuid")).await;
    ground.rejected(&post("rejected")).await;
    ground.until_dead(5).await;
    let groups = ground.sluice(&["dlq", "groups", "--json"]).await.ok().lines();
    assert_eq!(groups.len(), 4, "{groups:?}");
    let first = &groups[0];
    assert_eq!((&first["count"], &first["last_hour"], &first["new"]), (&json!(2), &json!(1), &json!(null)));
    assert_eq!((text(first, "class"), text(first, "code")), ("permanent".to_owned(), "mysql_1406".to_owned()));
    assert_eq!(text(first, "message"), "Data too long for column 'title' at row #");
    assert_eq!(first["samples"], json!([dead[0].id.to_string(), dead[1].id.to_string()]));
    assert!(text(first, "first_seen") < text(first, "last_seen"), "{first}");
    let classes: Vec<_> = groups.iter().map(|group| text(group, "class")).collect();
    assert!(classes.contains(&"rejected".to_owned()) && classes.contains(&"unknown".to_owned()), "{classes:?}");

    let ran = ground.sluice(&["dlq", "groups"]).await.ok();
    assert_eq!(ran.stdout.lines().count(), 5, "{ran:?}");
    assert!(ran.stderr.contains("5 of 5 dead letters") && ran.stderr.contains("of 4 kinds"), "{ran:?}");
    let fingerprint = text(first, "fingerprint");
    assert!(ran.stderr.contains(&format!("--fingerprint={fingerprint}")), "{ran:?}");
    let listed = ground.sluice(&["dlq", "list", "--json", "--fingerprint", &fingerprint]).await.ok().lines();
    assert_eq!(listed.len(), 2);
    assert_eq!(ground.dead_letters().await, 5, "looking changes nothing");
}

/// What the table says to a post.
async fn refusal(ground: &Ground, title: &str, author: &str) -> Dead {
    let post = Post { author: Some(author.to_owned()), ..post(title) };
    let review = Review {
        verdict: Verdict::Approved,
        reasons: Vec::new(),
        scores: Vec::new(),
        shadow: Vec::new(),
        ruleset: "test@0".to_owned(),
    };
    let row = Row { post, review, reviewed_at: OffsetDateTime::now_utc(), attempts: 1, sender: None };
    let failure = ground.store.insert(&[row], "test").await.expect_err("the table refuses it");
    Dead { code: failure.code.leak(), message: failure.message, ..Dead::new("refused") }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_and_checks_make_kinds_and_the_refused_values_do_not() {
    let ground = Ground::new().await;
    for change in [
        "MODIFY title VARCHAR(20) NOT NULL",
        "MODIFY author VARCHAR(5) CHARACTER SET latin1 NULL",
        "ADD CONSTRAINT no_shouting CHECK (title NOT LIKE 'LOUD%')",
        "ADD CONSTRAINT no_ghosts CHECK (author <> 'ghost')",
    ] {
        ground.sql(&format!("ALTER TABLE posts {change}")).await;
    }
    let mut dead = Vec::new();
    for (title, author) in [
        ("a title that is too long", "ann"),
        ("another title that is too long", "bob"),
        ("short", "a long name"),
        ("short", "another long name"),
        ("LOUD and clear", "ann"),
        ("LOUD 2", "bob"),
        ("short", "ghost"),
        ("short", "😀"),
        ("short", "😀😀"),
    ] {
        dead.push(refusal(&ground, title, author).await);
    }
    ground.dead(&dead).await;
    let groups = ground.sluice(&["dlq", "groups", "--json"]).await.ok().lines();
    let mut kinds: Vec<(String, u64)> =
        groups.iter().map(|group| (text(group, "message"), group["count"].as_u64().expect("a number"))).collect();
    kinds.sort();
    assert_eq!(kinds.iter().map(|(_, count)| *count).sum::<u64>(), 9);
    assert_eq!(kinds.len(), 5, "{kinds:?}");
    // What another character set does not have, in the words of the one server or the other.
    let conversion = kinds.iter().any(|(message, _)| message.starts_with("Conversion from collation"));
    let foreign = if conversion { "Conversion from collation" } else { "string value: ?" };
    for (name, count) in [("'title'", 2), ("column 'author'", 2), ("no_shouting", 2), ("no_ghosts", 1), (foreign, 2)] {
        let found: Vec<_> = kinds.iter().filter(|(message, _)| message.contains(name)).collect();
        assert!(found.iter().any(|(_, of)| *of == count), "{name} in {kinds:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_was_there_before_is_not_new() {
    let ground = Ground::new().await;
    ground.dead(&[too_long(1, Duration::hours(3)), too_long(2, Duration::ZERO), locked(Duration::ZERO)]).await;
    let groups = ground.sluice(&["dlq", "groups", "--json", "--since", "1h"]).await.ok().lines();
    let told = |code: &str| groups.iter().find(|group| group["code"] == code).expect("the kind is there");
    assert_eq!((&told("mysql_1406")["count"], &told("mysql_1406")["new"]), (&json!(1), &json!(false)));
    assert_eq!((&told("mysql_1205")["count"], &told("mysql_1205")["new"]), (&json!(1), &json!(true)));
    let page = ground.sluice(&["dlq", "groups", "--since", "1h", "--code", "mysql_1205"]).await.ok().stdout;
    assert!(page.contains("NEW") && page.contains(" new ") && !page.contains("mysql_1406"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_dead_letters_are_no_kinds() {
    let ground = Ground::new().await;
    let ran = ground.sluice(&["dlq", "groups"]).await.ok();
    assert!(ran.stdout.is_empty() && ran.stderr.contains("0 of 0 dead letters"), "{ran:?}");
    ground.sluice(&["dlq", "groups", "--since", "1h", "--until", "2h"]).await.exits(2);
}
