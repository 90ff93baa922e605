//! The feed of decisions, and the endpoints.

use std::time::Duration;

use serde_json::{Value, json};
use sluice_mysql::review::Failed;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use uuid::Uuid;

use crate::desk::Desk;
use crate::support::{PATIENCE, interrupt, text};

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_prints_what_there_is_waits_for_more_and_ends_with_ctrl_c() {
    let desk = Desk::new().await;
    let held = desk.held("my secret text", 60).await;
    let early = desk.ground.sluice(&["decisions", "follow", "--once", "--json"]).await.ok();
    assert!(early.stdout.is_empty() && early.stderr.contains("1 event gets its place"), "{early:?}");
    let args = ["decisions", "follow", "--delay", "0s", "--json"];
    let mut follow = desk.ground.start(&args);
    let mut lines = BufReader::new(follow.stdout.take().expect("it is piped")).lines();
    let mut next = async || -> Value {
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("it can be read");
        serde_json::from_str(&line.expect("a line")).expect("JSON")
    };
    let event = next().await;
    assert_eq!(
        (&event["type"], &event["seq"], text(&event, "post")),
        (&json!("post.held"), &json!(1), held.post.clone())
    );
    desk.decided(&held.case, "reject", "ann").await;
    let event = next().await;
    assert_eq!((&event["type"], &event["seq"], &event["revision"]), (&json!("post.decided"), &json!(2), &json!(1)));
    assert_eq!(
        (&event["verdict"], &event["previous"], &event["by"]),
        (&json!("rejected"), &json!("held"), &json!("moderator"))
    );
    interrupt(&follow).await;
    let ended = tokio::time::timeout(PATIENCE, follow.wait()).await.expect("in time").expect("it ends");
    assert_eq!(ended.code(), Some(0));
    let all = desk.ground.sluice(&["decisions", "follow", "--once", "--json"]).await.ok();
    assert!(all.lines().len() == 2 && !all.stdout.contains("secret") && !all.stdout.contains("ann"), "{all:?}");
    for (more, seqs) in [(["--after", "1"], vec![2]), (["--limit", "1"], vec![1]), (["--after", "2"], vec![])] {
        let ran = desk.ground.sluice(&[&["decisions", "follow", "--once", "--json"][..], &more].concat()).await.ok();
        let found: Vec<u64> = ran.lines().iter().filter_map(|event| event["seq"].as_u64()).collect();
        assert_eq!(found, seqs, "{more:?}");
    }
    let told = desk.ground.sluice(&["decisions", "follow", "--limit", "2"]).await.ok().stdout;
    assert!(told.contains(&format!("post {} is rejected, was held", held.post)), "{told}");
    desk.ground.sluice(&["decisions", "follow", "--limit", "0"]).await.exits(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_are_listed_paused_resumed_and_sent_to_again_and_an_unknown_one_is_named() {
    let desk = Desk::new().await;
    let decisions = async |args: &[&str]| desk.ground.sluice(&[&["decisions"], args].concat()).await;
    let none = decisions(&["endpoints"]).await.ok();
    assert!(none.stdout.is_empty() && none.stderr.contains("there is no endpoint yet"), "{none:?}");
    let store = &desk.ground.store;
    store.add_endpoint("forum").await.expect("MySQL answers");
    let held = desk.held("a post", 60).await;
    desk.decided(&held.case, "reject", "ann").await;
    decisions(&["follow", "--once", "--delay", "0s"]).await.ok();
    assert_eq!(store.enqueue_deliveries("forum").await.expect("MySQL answers"), 2);
    let (owner, lease) = (Uuid::now_v7(), Duration::from_secs(60));
    let due = store.due_deliveries("forum", owner, 10, lease).await.expect("MySQL answers");
    let failed = Failed { status: Some(500), error: "the forum is ill", again_in: Duration::from_secs(60) };
    store.delivery_failed("forum", due[0].decision, owner, &failed).await.expect("MySQL answers");

    let status = decisions(&["endpoints", "--json"]).await.ok().object();
    assert_eq!(
        (&status["endpoint"], &status["undelivered"], &status["failing"]),
        (&json!("forum"), &json!(2), &json!(1))
    );
    let paused = decisions(&["pause", "forum", "--json"]).await.ok().object();
    assert_eq!(paused, json!({ "endpoint": "forum", "paused": true }));
    let table = decisions(&["endpoints"]).await.ok().stdout;
    assert!(table.contains("paused since 20") && table.contains("the forum is ill"), "{table}");
    decisions(&["resume", "forum"]).await.ok();
    assert!(decisions(&["endpoints"]).await.ok().stdout.contains("sending"));
    let sent = decisions(&["resend", "forum", "--after", "1", "--json"]).await.ok().object();
    assert_eq!(sent, json!({ "endpoint": "forum", "after": 1, "events": 1 }));
    let story = desk.ground.sluice(&["why", &held.post, "--json"]).await.ok().object();
    assert_eq!(
        (&story["deliveries"][0]["endpoint"], &story["deliveries"][0]["status"]),
        (&json!("forum"), &json!(500))
    );
    assert!(desk.review(&["show", &held.post]).await.ok().stdout.contains("the forum is ill"));
    for args in [&["pause", "Forum"][..], &["resume", "nobody"], &["resend", "nobody", "--after", "0"]] {
        let ran = decisions(args).await.exits(3);
        assert!(ran.stderr.contains("known: forum"), "{ran:?}");
    }
    decisions(&["resend", "forum"]).await.exits(2);
}
