//! A dead letter's body is fixed on its page: the change is shown before, the original is always to be had back.

use serde_json::{Value, json};
use sluice_core::post::Post;

use super::browser::{log_in, open};
use super::house::House;
use super::visitor::{Shown, Visitor};
use super::webdriver::in_browser;
use crate::support::Dead;

/// The value of a hidden field; empty where it is missing.
fn hidden(page: &Shown, name: &str) -> String {
    let rest = page.text.split_once(&format!("name=\"{name}\" value=\"")).map(|(_, rest)| rest);
    rest.and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
}

fn body_of(dead: &Dead) -> String {
    String::from_utf8(dead.post().to_body()).expect("JSON")
}

/// The lines of the audit log, the latest first.
async fn recorded(house: &House) -> Vec<Value> {
    house.ground.sluice(&["dlq", "audit", "--json", "--limit", "10"]).await.ok().lines()
}

#[tokio::test]
async fn a_body_is_edited_with_its_change_shown_before_and_put_back_byte_for_byte() {
    let house = House::new().await;
    let dead = Dead::new("much too long");
    house.ground.dead(std::slice::from_ref(&dead)).await;
    let before = house.ground.exported().await;
    let console = house.console().await;
    let (mut ann, mut bob) = (Visitor::of(&console, "operator").await, Visitor::of(&console, "viewer").await);
    let id = dead.id.to_string();
    let (page, one) = (format!("/dead-letters/edit?id={id}"), format!("/dead-letters/one?id={id}"));
    ann.get(&one).await.is(200).says(&format!("href=\"{page}\""));
    bob.get(&one).await.is(200).lacks(&page);
    bob.get(&page).await.is(403);

    let form = ann.get(&page).await.is(200).says("much too long").lacks("Undo the last edit");
    let digest = hidden(&form, "digest");
    let fixed = json!({ "id": id, "title": "short", "content": "content" }).to_string();
    let send = |step: &'static str, more: &[(&'static str, &str)]| {
        let fields = [("id", id.as_str()), ("digest", digest.as_str()), ("step", step), ("body", fixed.as_str())];
        let fields = fields.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name)).chain(more);
        fields.map(|(name, value)| (*name, (*value).to_owned())).collect::<Vec<_>>()
    };
    let post = async |who: &mut Visitor, fields: Vec<(&'static str, String)>| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        who.post("/dead-letters/edit", &fields).await
    };
    post(&mut bob, send("show", &[])).await.is(403);
    let same = post(&mut ann, send("show", &[("body", &body_of(&dead))])).await.is(200);
    same.says("The text changes nothing").lacks("Replace the body");
    let shown = post(&mut ann, send("show", &[])).await.is(200).says("<del>much too long</del>");
    let seal = hidden(&shown.says("<ins>short</ins>").says("Replace the body"), "seal");

    post(&mut ann, send("replace", &[("reason", "it was too long")])).await.is(409).says("was not shown yet");
    post(&mut ann, send("replace", &[("seal", &seal)])).await.is(422).says("say why").says("<ins>short</ins>");
    let typed = r#"{"content":"content"}"#;
    let lacking = post(&mut ann, send("show", &[("body", typed)])).await.is(422);
    lacking.says("`title` is missing").says("content").lacks("Replace the body");
    let other = fixed.replace(&id, "0193a5b2-7c55-7000-8000-00000000e1b4");
    post(&mut ann, send("show", &[("body", &other)])).await.is(422).says("the id of a post must not change");
    post(&mut ann, send("else", &[])).await.is(422);
    post(&mut ann, send("show", &[("id", "nobody")])).await.is(404);
    post(&mut ann, send("show", &[("id", "")])).await.is(422);
    assert_eq!((house.ground.exported().await, recorded(&house).await), (before.clone(), Vec::<Value>::new()));

    let replace = send("replace", &[("seal", &seal), ("reason", "it was too long")]);
    post(&mut ann, replace.clone()).await.goes_to(&one);
    ann.get(&one).await.is(200).says("&#34;short&#34;").says("it was too long");
    house.holds(1).await;
    let log = recorded(&house).await;
    let told =
        |line: &Value| [&line["kind"], &line["actor"], &line["reason"]].map(|value| value.as_str().map(str::to_owned));
    assert_eq!(told(&log[0]), ["edit", "operator", "it was too long"].map(|text| Some(text.to_owned())));
    post(&mut ann, replace).await.is(409).says("It was changed meanwhile");

    let edited = ann.get(&page).await.is(200).says("Undo the last edit").says("<del>short</del>");
    let undo = [("id", id.as_str()), ("digest", &hidden(&edited, "digest")), ("step", "undo")];
    ann.post("/dead-letters/edit", &undo).await.is(422).says("say why");
    ann.post("/dead-letters/edit", &[&undo[..], &[("reason", "a mistake")]].concat()).await.goes_to(&one);
    house.holds(1).await;
    assert_eq!(house.ground.exported().await, before);
    assert_eq!(told(&recorded(&house).await[0])[0].as_deref(), Some("edit_undo"));
}

#[tokio::test]
async fn a_post_whose_id_is_taken_gets_another_one_on_its_page() {
    let house = House::new().await;
    let dead = Dead { code: "id_conflict", ..Dead::new("came late") };
    house.ground.dead(std::slice::from_ref(&dead)).await;
    house.ground.record(&[Post { title: "came first".to_owned(), ..dead.post() }]).await;
    let console = house.console().await;
    let mut ann = Visitor::of(&console, "operator").await;
    let id = dead.id.to_string();
    let form = ann.get(&format!("/dead-letters/edit?id={id}")).await.is(200).says("Give it a new id");
    let (digest, body) = (hidden(&form, "digest"), body_of(&dead));
    let fields = [("id", id.as_str()), ("digest", &digest), ("body", &body), ("reason", "it came late")];
    let shown = ann.post("/dead-letters/edit", &[&fields[..], &[("step", "new-id")]].concat()).await.is(200);
    let shown = shown.says(&format!("<del>{id}</del>"));
    let new = shown.text.split_once("<ins>").and_then(|(_, rest)| rest.split_once("</ins>")).expect("the new id").0;
    let (seal, typed) = (hidden(&shown, "seal"), shown.text.split_once("spellcheck=\"false\">\n").expect("the text").1);
    let typed = typed.split_once("</textarea>").expect("its end").0.replace("&quot;", "\"").replace("&#34;", "\"");
    assert!(typed.contains(new), "{typed}");
    let replace = [("id", id.as_str()), ("digest", &digest), ("body", &typed), ("reason", "it came late")];
    let replace = [&replace[..], &[("seal", seal.as_str()), ("step", "replace")]].concat();
    ann.post("/dead-letters/edit", &replace).await.is(303);
    house.holds(1).await;
    let plan = house.ground.sluice(&["dlq", "replay", "--all", "--plan", "--json"]).await.ok().object();
    assert_eq!(plan["forecast"], json!({ "would_be_recorded": 1 }), "{plan}");
}

#[tokio::test]
async fn a_browser_changes_nothing_of_a_body_that_nobody_changed() {
    let house = House::new().await;
    let odd = "\n <b>&amp;</b> \u{202e}\u{200b}\u{feff}\u{2028}\u{a0}\r\n\t\u{1} 加微信 🔥 \\ \" \n";
    let dead = Dead::new(odd);
    house.ground.dead(std::slice::from_ref(&dead)).await;
    house.ground.foreign("\n\nno JSON\n <b>\u{a0} \n".as_bytes(), Some("text")).await;
    house.ground.until_dead(2).await;
    let console = house.console().await;
    in_browser(true, async |browser| {
        log_in(browser, &console, "operator").await;
        for id in [dead.id.to_string().as_str(), "text"] {
            open(browser, &console, &format!("/dead-letters/edit?id={id}")).await;
            browser.follow("button[value=show]").await;
            browser.find("main h1").await;
            let page = browser.source().await;
            assert!(page.contains("The text changes nothing"), "{id}: {page}");
        }
    })
    .await;
}
