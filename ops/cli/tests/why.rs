//! `sluice why`: one post's story, wherever it is.

mod support;

use serde_json::{Value, json};
use sluice_core::post::{Post, PostId};
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

/// A post with this id.
fn named(id: &str) -> Post {
    Post { id: id.parse().expect("a UUID"), ..post(id) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_is_meant_by_a_beginning_of_its_id_in_any_spelling_wherever_the_post_is() {
    let ground = Ground::new().await;
    let stored = ["0193a5b2-7c55-7000-8000-00000000e1b4", "0193a5b2-7c56-7000-8000-00000000e1b5"];
    ground.record(&stored.map(named)).await;
    let dead = Dead { id: "0293a5b2-7c55-7000-8000-00000000e1b4".parse().expect("a UUID"), ..Dead::new("dead") };
    let dropped = Dead { id: "0393a5b2-7c55-7000-8000-00000000e1b4".parse().expect("a UUID"), ..Dead::new("dropped") };
    ground.dead(&[dead.clone(), dropped.clone()]).await;
    ground.sluice(&["dlq", "drop", &dropped.id.to_string(), "--yes"]).await.ok();
    let dead = dead.id.to_string();
    for (beginning, id, place) in [
        ("0193a5b2-7c55", stored[0], "recorded"),
        ("0193A5B27C56", stored[1], "recorded"),
        ("0293", &dead, "dead"),
        ("0393A5", &dropped.id.to_string(), "dropped"),
    ] {
        let story = ground.sluice(&["why", beginning, "--json"]).await.ok().object();
        assert_eq!((text(&story, "id").as_str(), text(&story, "place").as_str()), (id, place), "{beginning}");
    }
    // Its row and its dead letter are one post.
    ground.record(&[named(&dead)]).await;
    let story = ground.sluice(&["why", "0293a5b2", "--json"]).await.ok().object();
    assert_eq!((text(&story, "id"), text(&story, "place")), (dead, "recorded".to_owned()));

    let ran = ground.sluice(&["why", "0193a5b2"]).await.exits(2);
    let expected = format!(
        "several posts or dead letters have an id that begins with 0193a5b2; give more characters of it\n  {}\n  {}\n",
        stored[0], stored[1]
    );
    assert!(ran.stderr.contains(&expected) && ran.stdout.is_empty(), "{ran:?}");
    for (nobody, told) in [("0493a5", "0493a5: no post that is stored"), ("019", "at least 4 characters")] {
        let ran = ground.sluice(&["why", nobody]).await.exits(3);
        assert!(ran.stderr.contains(told) && ran.stdout.is_empty(), "{ran:?}");
    }
    // What cannot be asked may have it.
    let ran = ground.sluice(&["why", "0493a5", "--database-url", "mysql://root@127.0.0.1:1/none"]).await.exits(1);
    assert!(ran.stdout.contains("not queried           MySQL: "), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_a_stranger_gave_is_meant_by_its_beginning_and_in_full_before_any_other() {
    let ground = Ground::new().await;
    for id in ["order-1", "order-10", "shipment"] {
        ground.foreign(b"no post", Some(id)).await;
    }
    ground.until_dead(3).await;
    let meant = async |id: &str| text(&ground.sluice(&["why", id, "--json"]).await.ok().object(), "id");
    assert_eq!((meant("order-1").await, meant("ship").await), ("order-1".to_owned(), "shipment".to_owned()));
    let ran = ground.sluice(&["why", "orde"]).await.exits(2);
    assert!(ran.stderr.contains("\n  order-1\n  order-10\n"), "{ran:?}");
    ground.sluice(&["dlq", "drop", "--all", "--yes"]).await.ok();
    assert_eq!((meant("order-1").await, meant("ship").await), ("order-1".to_owned(), "shipment".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn latest_is_the_post_that_was_recorded_last_whatever_ids_others_chose() {
    let ground = Ground::new().await;
    let ran = ground.sluice(&["why", "latest"]).await.exits(3);
    assert!(ran.stderr.contains("no post with an id that Sluice made is stored"), "{ran:?}");
    let (first, second) = (post("first"), post("second"));
    assert!(first.id < second.id, "ids go up with time");
    ground.record(std::slice::from_ref(&second)).await;
    ground.record(std::slice::from_ref(&first)).await;
    ground.record(&[named("ffffffff-7c55-4000-8000-00000000e1b4"), named(&PostId::from_key("k").to_string())]).await;
    let story = ground.sluice(&["why", "latest", "--json"]).await.ok().object();
    assert_eq!(text(&story, "id"), first.id.to_string());
    let ran = ground.sluice(&["why", "latest", "--database-url", "mysql://root@127.0.0.1:1/none"]).await.exits(1);
    assert!(ran.stderr.contains("127.0.0.1:1") && ran.stdout.is_empty(), "{ran:?}");
}
