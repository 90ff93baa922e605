//! `sluice why`: one post's story, wherever it is.

mod support;

use serde_json::{Value, json};
use support::{Dead, Ground, ids, post, text};

fn happened(story: &Value) -> Vec<&str> {
    story["events"].as_array().expect("events").iter().filter_map(|event| event["what"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_follows_a_post_from_place_to_place() {
    let ground = Ground::new().await;
    let dead = Dead::some(2);
    ground.dead(&dead).await;
    let all = ids(&dead);
    let why = async |code| ground.sluice(&["why", &all[0], "--json"]).await.exits(code).object();

    let story = why(0).await;
    assert_eq!((text(&story, "id"), &story["place"]), (all[0].clone(), &json!("dead")));
    assert_eq!(
        (story["dead_letters"].as_array().map(Vec::len), happened(&story).last()),
        (Some(1), Some(&"dead-lettered"))
    );
    assert!(text(&story, "now").contains(&ground.topology.dead_letter_queue()), "{story}");

    ground.sluice(&["dlq", "replay", &all[0], "--yes"]).await.ok();
    let story = why(0).await;
    assert_eq!((&story["place"], happened(&story).last()), (&json!("waiting"), Some(&"replayed")), "{story}");
    assert!(text(&story, "now").contains("1 waiting in"), "{story}");

    ground.record(&[dead[0].post()]).await;
    let story = why(0).await;
    assert_eq!((&story["place"], &story["post"]["title"]), (&json!("recorded"), &json!(dead[0].post().title)));
    assert_eq!(happened(&story), ["submitted", "failed", "dead-lettered", "replayed", "recorded"], "{story}");
    let page = ground.sluice(&["why", &all[0]]).await.ok().stdout;
    assert!(page.starts_with(&all[0]) && page.contains("\n  now                   stored in MySQL since 20"), "{page}");

    ground.sluice(&["dlq", "drop", &all[1], "--yes"]).await.ok();
    let story = ground.sluice(&["why", &all[1], "--json"]).await.ok().object();
    assert_eq!((&story["place"], happened(&story).last()), (&json!("dropped"), Some(&"dropped")), "{story}");
    let restore = format!("`sluice dlq restore --prefix {} {}`", ground.prefix, all[1]);
    assert!(text(&story, "now").contains(&restore), "{story}");
    ground.sluice(&["dlq", "restore", &all[1]]).await.ok();
    let story = ground.sluice(&["why", &all[1], "--json"]).await.ok().object();
    assert_eq!(story["place"], "dead", "{story}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_heard_of_is_said_to_be_so() {
    let ground = Ground::new().await;
    ground.submit(&post("waiting")).await;
    for id in [post("never sent").id.to_string(), "no uuid \u{1b}[31m".to_owned()] {
        let ran = ground.sluice(&["why", &id]).await.exits(3);
        assert!(ran.stdout.contains("still waiting or in flight, or never accepted"), "{}", ran.stdout);
        assert!(ran.stdout.contains("1 waiting") && !ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_place_cannot_tell_the_others_do() {
    let ground = Ground::new().await;
    let dead = Dead::some(1);
    ground.dead(&dead).await;
    let id = dead[0].id.to_string();
    let nowhere = "mysql://root@127.0.0.1:1/none";
    let ran = ground.sluice(&["why", &id, "--database-url", nowhere]).await.exits(1);
    assert!(
        ran.stdout.contains("dead-lettered, in") && ran.stdout.contains("not queried           MySQL: "),
        "{}",
        ran.stdout
    );
    ground.record(&[dead[0].post()]).await;
    let ran = ground.sluice(&["why", &id, "--amqp-url", "amqp://127.0.0.1:1"]).await.exits(1);
    assert!(ran.stdout.contains("stored in MySQL") && ran.stdout.contains("RabbitMQ: "), "{}", ran.stdout);
}
