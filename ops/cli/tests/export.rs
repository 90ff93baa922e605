//! `sluice dlq export` and `import`: what goes out comes back as it was, once.

mod support;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};
use sluice_core::disposition::Class;
use support::{Dead, Ground, post, text};

/// Dead letters of all sorts, one of them with every property and headers of odd types.
async fn all_sorts(ground: &Ground) {
    ground.dead(&[Dead::new("too long"), Dead { class: Class::Exhausted, ..Dead::new("locked") }]).await;
    ground.foreign(b"not UTF-8 \xff\x1b[2J", None).await;
    let mut inner = FieldTable::default();
    inner.insert("when".into(), AMQPValue::Timestamp(1_795_363_200));
    let mut headers = FieldTable::default();
    headers.insert("nothing".into(), AMQPValue::Void);
    headers.insert("small".into(), AMQPValue::ShortShortInt(-3));
    headers.insert("half".into(), AMQPValue::Double(0.1));
    headers.insert("inner".into(), AMQPValue::FieldTable(inner));
    headers.insert("bytes".into(), AMQPValue::LongString(vec![0xff, 0].into()));
    let properties = BasicProperties::default()
        .with_message_id("odd".into())
        .with_app_id("a stranger's".into())
        .with_correlation_id("7".into())
        .with_priority(3)
        .with_timestamp(1_795_363_200)
        .with_headers(headers);
    ground.publish(&ground.topology.dead_letter_exchange(), b"{}", properties).await;
    ground.rejected(&post("rejected")).await;
    ground.until_dead(5).await;
}

fn file(ground: &Ground, content: &str) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().prefix(&ground.prefix).tempfile().expect("a file");
    std::fs::write(file.path(), content).expect("it can be written");
    file
}

async fn empty_the_queue(ground: &Ground) {
    ground.sluice(&["dlq", "drop", "--all", "--yes"]).await.ok();
    assert_eq!(ground.dead_letters().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_exported_comes_back_without_loss() {
    let ground = Ground::new().await;
    all_sorts(&ground).await;
    let exported = ground.sluice(&["dlq", "export"]).await.ok();
    assert_eq!(exported.lines().len(), 5);
    assert!(exported.stderr.contains("5 of 5 dead letters"), "{exported:?}");
    assert_eq!(ground.dead_letters().await, 5, "looking changes nothing");
    let odd = exported.lines().into_iter().find(|line| line["id"] == "odd").expect("it is there");
    assert_eq!(odd["dead_letter"]["headers"]["inner"], json!({ "table": { "when": { "timestamp": 1_795_363_200 } } }));
    assert_eq!(odd["dead_letter"]["properties"]["priority"], 3);

    let file = file(&ground, &exported.stdout);
    let path = file.path().to_str().expect("a plain path");
    empty_the_queue(&ground).await;
    let ran = ground.sluice(&["dlq", "import", path]).await.ok();
    assert!(ran.stdout.starts_with("5 imported (recorded as operation "), "{ran:?}");
    let again = ground.sluice(&["dlq", "export"]).await.ok();
    let dead_letters = |lines: Vec<Value>| {
        let mut dead_letters: Vec<String> = lines.iter().map(|line| without_exchange(&line["dead_letter"])).collect();
        dead_letters.sort();
        dead_letters
    };
    assert_eq!(dead_letters(again.lines()), dead_letters(exported.lines()));

    let ran = ground.sluice(&["dlq", "import", path, "--json"]).await.ok();
    assert!(ran.lines().iter().all(|line| line["outcome"] == "present"), "{ran:?}");
    assert_eq!(ground.dead_letters().await, 5, "what is there already is left out");
    ground.sluice(&["dlq", "import", path, "--again"]).await.ok();
    ground.until_dead(10).await;
    let imported: u32 = ground.value("SELECT COUNT(*) FROM operation_items WHERE outcome = 'imported'").await;
    assert_eq!(imported, 10);
}

/// A dead letter that the broker dead-lettered comes back by another way.
fn without_exchange(dead_letter: &Value) -> String {
    let mut dead_letter = dead_letter.clone();
    dead_letter.as_object_mut().expect("an object").remove("exchange");
    dead_letter.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_no_dead_letter_costs_that_line_only() {
    let ground = Ground::new().await;
    ground.dead(&Dead::some(2)).await;
    let exported = ground.sluice(&["dlq", "export"]).await.ok().stdout;
    empty_the_queue(&ground).await;
    let mut lines: Vec<&str> = exported.lines().collect();
    lines.insert(1, "{\"id\":\"x\",\"dead_letter\":{\"body\":\"\",\"headers\":{\"a\":1.5}}}");
    lines.push("nonsense");
    let file = file(&ground, &lines.join("\n"));
    let path = file.path().to_str().expect("a plain path");
    let ran = ground.sluice(&["dlq", "import", path]).await.exits(3);
    for told in ["line 2: headers.a: 1.5", "line 4: expected", "2 imported, 2 failed"] {
        assert!(ran.stderr.contains(told) || ran.stdout.contains(told), "{told} in {ran:?}");
    }
    assert_eq!(ground.dead_letters().await, 2);
    let missing = ground.sluice(&["dlq", "import", "/no/such/file"]).await.exits(1);
    assert!(missing.stderr.contains("/no/such/file"), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_takes_the_filters_and_names_ids_that_are_not_there() {
    let ground = Ground::new().await;
    let dead = Dead::some(3);
    ground.dead(&dead).await;
    let id = dead[1].id.to_string();
    let ran = ground.sluice(&["dlq", "export", "--id", &id, "--id", "gone"]).await.exits(3);
    assert_eq!(ran.lines().iter().map(|line| text(line, "id")).collect::<Vec<_>>(), [id]);
    assert!(ran.stderr.contains("gone: no dead letter has this id"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_cannot_be_recorded_is_not_done() {
    let ground = Ground::new().await;
    ground.dead(&Dead::some(1)).await;
    let exported = ground.sluice(&["dlq", "export"]).await.ok().stdout;
    let file = file(&ground, &exported);
    let path = file.path().to_str().expect("a plain path");
    let unreachable = ["dlq", "import", path, "--again", "--database-url", "mysql://root@127.0.0.1:1/none"];
    let ran = ground.sluice(&unreachable).await.exits(1);
    assert!(ran.stderr.contains("could not be recorded"), "{ran:?}");
    assert_eq!(ground.dead_letters().await, 1);
}
