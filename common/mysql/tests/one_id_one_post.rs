//! What an insert skipped is told apart: the same post, another post under its id, or a key that refuses it. A
//! rehearsal forecasts the same.

use std::collections::BTreeSet;

use mysql_async::prelude::Queryable as _;
use sluice_core::failure::{Failure, Kind};
use sluice_core::post::Post;
use sluice_core::verdict::{Review, Verdict};
use sluice_lab::testing::Ground;
use sluice_mysql::{Operation, OperationItem, OperationKind, Recorded, Row, RowOutcome, Store};
use time::OffsetDateTime;

fn row(post: &Post) -> Row {
    let review = Review {
        verdict: Verdict::Approved,
        reasons: Vec::new(),
        scores: Vec::new(),
        shadow: Vec::new(),
        ruleset: "test@0".to_owned(),
    };
    Row { post: post.clone(), review, reviewed_at: OffsetDateTime::now_utc(), attempts: 1, sender: None }
}

/// Each outcome by its name: how it was recorded, or the code of its failure.
fn names(outcomes: &[RowOutcome]) -> Vec<&str> {
    let name = |outcome: &RowOutcome| match outcome {
        Ok(Recorded::Inserted) => "inserted",
        Ok(Recorded::AlreadyRecorded) => "already_recorded",
        Err(Failure { kind: Kind::Permanent, code, .. }) if code == "id_conflict" => "id_conflict",
        Err(Failure { kind: Kind::Permanent, code, .. }) if code == "mysql_1062" => "mysql_1062",
        Err(other) => panic!("{other:?}"),
    };
    outcomes.iter().map(name).collect()
}

/// A ground whose authors may have one post each.
async fn ground() -> (Ground, Store) {
    let ground = Ground::new().await;
    let store = ground.store();
    store.migrate().await.expect("a database of our own");
    ground.sql("ALTER TABLE posts ADD UNIQUE KEY one_each (author)").await;
    (ground, store)
}

async fn rows(ground: &Ground) -> u64 {
    ground.session().await.query_first("SELECT COUNT(*) FROM posts").await.expect("a count").expect("a row")
}

#[tokio::test]
async fn each_row_of_a_group_of_all_kinds_is_told_apart_and_forecast_as_it_is() {
    let (ground, store) = ground().await;
    let old = Post { author: Some("old".to_owned()), ..ground.post("a stored title") };
    store.insert(&[row(&old)], "before").await.expect("it is stored");
    let fresh = ground.post("fresh");
    let taken = Post { author: Some("OLD".to_owned()), ..ground.post("of an author who has one") };
    let twice = Post { author: Some("twice".to_owned()), ..ground.post("twice") };
    let again = Post { author: Some("twice".to_owned()), ..ground.post("again") };
    // The first one under this id is refused by the other key, so the second one is the one that is stored.
    let refused = Post { author: Some("old".to_owned()), ..ground.post("refused") };
    let instead = Post { author: None, title: "instead".to_owned(), ..refused.clone() };
    let group = [
        (fresh.clone(), "inserted"),
        (old.clone(), "already_recorded"),
        (Post { submitted_at: OffsetDateTime::UNIX_EPOCH, ..old.clone() }, "already_recorded"),
        (Post { title: "A stored title".to_owned(), ..old.clone() }, "id_conflict"),
        (Post { author: None, ..old.clone() }, "id_conflict"),
        (taken, "mysql_1062"),
        (twice.clone(), "inserted"),
        (twice.clone(), "already_recorded"),
        (Post { content: "other words".to_owned(), ..twice.clone() }, "id_conflict"),
        (again, "mysql_1062"),
        (refused, "id_conflict"),
        (instead, "inserted"),
    ];
    let (rows_in, expected): (Vec<Row>, Vec<&str>) = group.iter().map(|(post, told)| (row(post), *told)).unzip();
    let mut forecast = expected.clone();
    // Tried after what it would be refused for, and before what takes its id.
    forecast[10] = "mysql_1062";
    assert_eq!(names(&store.rehearse(&rows_in).await.expect("an answer")), forecast);
    assert_eq!(rows(&ground).await, 1, "a rehearsal leaves nothing");

    let outcomes = store.insert(&rows_in, "now").await.expect("an answer");
    assert_eq!(names(&outcomes), expected);
    assert_eq!(rows(&ground).await, 4);
    let kept = store.post(old.id).await.expect("an answer").expect("it is there");
    assert_eq!((kept.title.as_str(), kept.worker.as_str()), ("a stored title", "before"), "the first write stands");
    let told = |index: usize| outcomes[index].as_ref().expect_err("a failure").message.clone();
    assert!(told(3).contains(&old.id.to_string()) && told(3).contains("'before'"), "{}", told(3));
    assert!(told(3).contains("the title (14 bytes stored, 14 in this post)") && !told(3).contains("the content"));
    assert!(told(4).contains("the author (3 bytes stored, 0 in this post)"), "{}", told(4));
    assert!(told(5).contains("one_each"), "the key is named: {}", told(5));
    let all: String = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).map(ToString::to_string).collect();
    for text in ["stored title", "other words", "OLD", "twice"] {
        assert!(!all.contains(text), "nobody's text is told: {all}");
    }

    // The same group once more, as after a statement whose fate was unknown.
    let after = expected.iter().map(|told| if *told == "inserted" { "already_recorded" } else { told });
    assert_eq!(names(&store.insert(&rows_in, "now").await.expect("an answer")), after.collect::<Vec<_>>());
    assert_eq!(rows(&ground).await, 4);
}

#[tokio::test]
async fn a_trigger_that_changes_what_is_found_makes_no_new_row_of_it() {
    let (ground, store) = ground().await;
    ground.sql("CREATE TRIGGER once BEFORE UPDATE ON posts FOR EACH ROW SET NEW.attempts = 7").await;
    let posts: Vec<Post> = (0..2).map(|number| ground.post(&number.to_string())).collect();
    store.insert(&[row(&posts[0])], "w").await.expect("it is stored");
    // The first counts for two, since the trigger changes it; the second, of the same id, for none.
    let group = [row(&posts[0]), row(&Post { title: "other".to_owned(), ..posts[0].clone() })];
    assert_eq!(names(&store.insert(&group, "w").await.expect("an answer")), ["already_recorded", "id_conflict"]);
}

#[tokio::test]
async fn what_a_narrow_column_cuts_off_is_no_other_post() {
    let (ground, store) = ground().await;
    ground.sql("ALTER TABLE posts MODIFY title VARCHAR(10) NOT NULL").await;
    let post = ground.post("ten chars.     ");
    assert_eq!(names(&store.insert(&[row(&post)], "w").await.expect("an answer")), ["inserted"]);
    assert_eq!(names(&store.insert(&[row(&post)], "w").await.expect("an answer")), ["already_recorded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_workers_with_two_posts_under_one_id_one_stores_it_and_the_other_has_a_conflict() {
    let (ground, one) = ground().await;
    let two = ground.store();
    for round in 0..20 {
        let first: Vec<Post> = (0..8).map(|number| ground.post(&format!("{round} {number}"))).collect();
        let second: Vec<Post> =
            first.iter().map(|post| Post { content: "the other one".to_owned(), ..post.clone() }).collect();
        let [first, second] = [first, second].map(|posts| posts.iter().map(row).collect::<Vec<_>>());
        let (first, second) = tokio::join!(one.insert(&first, "one"), two.insert(&second, "two"));
        let outcomes = [first.expect("an answer"), second.expect("an answer")];
        for (a, b) in names(&outcomes[0]).into_iter().zip(names(&outcomes[1])) {
            assert_eq!(BTreeSet::from([a, b]), BTreeSet::from(["inserted", "id_conflict"]));
        }
    }
}

fn line(number: u32, dead_letter: &str) -> OperationItem {
    let detail = String::new();
    OperationItem {
        number,
        dead_letter: dead_letter.to_owned(),
        post: None,
        outcome: "dropped",
        detail,
        death: None,
        archived: None,
        undoes: Vec::new(),
    }
}

#[tokio::test]
async fn a_record_that_another_unique_key_refuses_is_not_taken_for_written() {
    let (ground, store) = ground().await;
    let operation =
        || Operation::begin(OperationKind::Drop, "me@here".to_owned(), "post".to_owned(), serde_json::Value::Null);
    let first = operation();
    store.record_operation(&first).await.expect("it is recorded");
    store.record_operation(&first).await.expect("a repetition changes nothing");
    let lines = [line(1, "a"), line(2, "b")];
    store.record_items(&first, &lines).await.expect("they are recorded");
    store.record_items(&first, &lines).await.expect("a repetition changes nothing");
    ground.sql("ALTER TABLE operation_items ADD UNIQUE KEY once (dead_letter)").await;
    ground.sql("ALTER TABLE operations ADD UNIQUE KEY one_each (actor)").await;
    let failure = store.record_items(&first, &[line(3, "c"), line(4, "b")]).await.expect_err("b has a line");
    assert!(failure.code == "mysql_1062" && failure.message.contains("`operation_items`"), "{failure}");
    let failure = store.record_operation(&operation()).await.expect_err("this actor has an operation");
    assert!(failure.code == "mysql_1062" && failure.message.contains("`operations`"), "{failure}");
}

#[tokio::test]
async fn a_row_that_is_found_counts_only_once_a_later_commit_has_gone_through() {
    let ground = Ground::new().await;
    let store = ground.store();
    store.migrate().await.expect("a database of our own");
    let (old, new) = (ground.post("old"), ground.post("new"));
    store.insert(&[row(&old)], "before").await.expect("it is stored");
    ground.sql("RENAME TABLE commit_tests TO elsewhere").await;
    let failure = store.insert(&[row(&old)], "after").await.expect_err("no commit can be tested");
    assert_eq!(failure.code, "mysql_1146");
    assert_eq!(store.probe().await.expect_err("nor by the probe").code, "mysql_1146");
    assert_eq!(names(&store.insert(&[row(&new)], "after").await.expect("its own commit is answered")), ["inserted"]);
    ground.sql("RENAME TABLE elsewhere TO commit_tests").await;
    assert_eq!(names(&store.insert(&[row(&old)], "after").await.expect("it is found")), ["already_recorded"]);
}
