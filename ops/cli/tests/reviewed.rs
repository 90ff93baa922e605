//! The review through all of Sluice: a post comes in over HTTP, and what was said of it stands in MySQL.

mod support;

use std::path::Path;

use serde_json::json;
use sluice_core::post::PostId;
use sluice_core::verdict::{Reason, Score};
use sluice_lab::testing::{Program, eventually};
use support::Ground;

/// The built-in rules, a site's own, and one on trial.
const RULES: &str = "extend = \"builtin\"\nname = \"site\"\n\
                     [categories.site]\nhold = 50\n\
                     [[list]]\nid = \"ours\"\ncategory = \"site\"\nweight = 60\nterms = [\"代开发票\"]\n\
                     [[list]]\nid = \"on-trial\"\ncategory = \"site\"\nweight = 60\nmode = \"shadow\"\nterms = [\"garden gnome\"]\n";

/// The front door of this ground, and where it is.
async fn front_door(ground: &Ground) -> (Program, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_sluice")).with_file_name("sluice-producer");
    let environment = [("AMQP_URL", ground.amqp_url.clone()), ("SLUICE_PREFIX", ground.prefix.clone())];
    let args = ["serve", "--listen", "127.0.0.1:0", "--log-format", "json"];
    let door = Program::start(program.to_str().expect("a path in UTF-8"), &args, &environment);
    let url = eventually("the front door to say where it listens", async || {
        let said = door.said();
        let mut events = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        events.find_map(|event| Some(format!("http://{}/posts", event["listen"].as_str()?))).ok_or(said)
    })
    .await;
    (door, url)
}

/// Posts this until it is accepted; gives its id.
async fn accepted(url: &str, title: &str, content: &str) -> PostId {
    let body = json!({ "id": PostId::new(), "title": title, "content": content });
    let answer = eventually("the post to be accepted", async || {
        let answer = reqwest::Client::new().post(url).json(&body).send().await.map_err(|error| error.to_string())?;
        if answer.status() == 202 { Ok(answer) } else { Err(answer.status().to_string()) }
    })
    .await;
    let answer: serde_json::Value = answer.json().await.expect("JSON");
    answer["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_review_says_of_a_post_sent_by_http_is_read_back_from_mysql() {
    let ground = Ground::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let rules = folder.path().join("site.toml");
    std::fs::write(&rules, RULES).expect("it can be written");
    let (_door, url) = front_door(&ground).await;
    let worker = ground.worker(&["--rules", rules.to_str().expect("a path in UTF-8")]);
    // Full width, traditional, and with signs between its characters.
    let (title, content) = ("有需要的看", "我們這裡 ＡＢ 可以 代.開.發.票 喔");
    let disguised = accepted(&url, title, content).await;
    let on_trial = accepted(&url, "For sale", "One Garden  Gnome, hardly used").await;
    let row = async |id: PostId| {
        eventually("the post to be stored", async || {
            ground.store.post(id).await.map_err(|error| error.to_string())?.ok_or("no row".to_owned())
        })
        .await
    };

    let stored = row(disguised).await;
    assert_eq!((stored.verdict.as_str(), stored.content.as_str()), ("held", content));
    assert!(stored.ruleset.starts_with("site@"), "{}", stored.ruleset);
    let reasons: Vec<Reason> = serde_json::from_str(&stored.reasons).expect("reasons");
    let ours = reasons.iter().find(|reason| reason.rule == "ours").unwrap_or_else(|| panic!("{reasons:?}"));
    assert_eq!((ours.category.as_str(), ours.field.as_str()), ("site", "content"));
    assert_eq!((ours.text.as_str(), ours.matched.as_str()), ("代.開.發.票", "代开发票"));
    assert_eq!(&content[ours.span[0]..ours.span[1]], ours.text, "the span is one of the original");
    let steps = ours.steps.join(", ");
    assert!(steps.contains("traditional → simplified ×2") && steps.contains("separator ×3"), "{steps}");
    let scores: Vec<Score> = serde_json::from_str(&stored.scores.expect("scores")).expect("scores");
    let score = scores.iter().find(|score| score.category == "site").unwrap_or_else(|| panic!("{scores:?}"));
    assert_eq!((score.sum, score.hold, score.reject), (60, Some(50), None));
    let story = ground.sluice(&["why", &disguised.to_string()]).await.ok().stdout;
    assert!(story.contains("held by the rules site@") && story.contains("ours"), "{story}");

    assert_eq!(row(on_trial).await.verdict, "approved", "a rule in shadow mode decides nothing");
    worker.says("a shadow rule matched", 1).await;
    let said = worker.said();
    let line = said.lines().find(|line| line.contains("a shadow rule matched")).expect("it was just said");
    assert!(line.contains(&on_trial.to_string()) && line.contains("on-trial"), "{line}");
    assert!(!line.contains("Gnome"), "no line of log holds a post's text: {line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_is_held_for_its_near_copies_says_so_to_whoever_asks_why() {
    let ground = Ground::new().await;
    let (_door, url) = front_door(&ground).await;
    let _worker = ground.worker(&["--copies", "2"]);
    let text =
        "Yesterday evening the old bridge across the river was closed, and nobody told us how long it will last.";
    let mut ids = Vec::new();
    for (number, text) in [text.to_owned(), text.replace("river", "brook")].iter().enumerate() {
        let id = accepted(&url, &format!("bridge {number}"), text).await;
        eventually("the post to be stored", async || {
            ground.store.post(id).await.map_err(|error| error.to_string())?.ok_or("no row".to_owned())
        })
        .await;
        ids.push(id.to_string());
    }
    let first = ground.sluice(&["why", &ids[0]]).await.ok().stdout;
    assert!(first.contains("approved") && !first.contains("near_copies"), "{first}");
    let why = ground.sluice(&["why", &ids[1]]).await.ok().stdout;
    assert!(why.contains("repetition 2; near_copies: \"2 posts within "), "{why}");
    // A worker opens the case a moment after the row.
    let listed = eventually("the held post to have its case", async || {
        let listed = ground.sluice(&["review", "list", "--json"]).await.ok().lines();
        if listed.is_empty() { Err("no case") } else { Ok(listed) }
    })
    .await;
    assert_eq!((listed.len(), &listed[0]["queue"]), (1, &json!("repetition")), "{listed:?}");
}
