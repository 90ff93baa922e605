//! The overview against `sluice status`, and with servers that are down.

use serde_json::Value;
use sluice_lab::testing::{Proxy, eventually};
use tokio::process::Command;

use super::visitor::Visitor;
use crate::ground::Desk;

#[tokio::test]
async fn it_says_what_the_command_says_and_refreshes_only_what_changes() {
    let desk = Desk::new().await;
    desk.ground.declare().await;
    desk.ground.publish(&[desk.ground.post("one"), desk.ground.post("two")]).await;
    desk.held().await;
    let console = desk.pages(&[]).await;
    let mut ann = Visitor::of(&console, "viewer").await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    command.args(["status", "--json"]).envs(desk.ground.environment());
    let status: Value = serde_json::from_slice(&command.output().await.expect("it was built").stdout).expect("JSON");
    assert_eq!(status["queue"]["ready"], 2, "{status}");
    let queue = format!("2 waiting in {}", status["queue"]["name"].as_str().expect("a name"));
    let parts = [
        queue.as_str(),
        "1, 0 approved, 1 held, 0 rejected",
        "1 case waiting, 0 escalated, 0 claimed",
        "No worker answers",
    ];
    let page = eventually("the page to have a sample with a speed", async || {
        let page = ann.get("/").await.is(200);
        if page.text.contains("stored a second") { Ok(page) } else { Err(page.text) }
    })
    .await;
    parts.iter().fold(page, |page, part| page.says(part)).lacks("Unreachable");
    let part = ann.part("/", "now", None).await.is(200).says("id=\"now\"").lacks("<html");
    assert!(part.tag.is_some());
    eventually("a part that has not changed", async || {
        let tag = ann.part("/", "now", None).await.tag;
        let again = ann.part("/", "now", tag.as_deref()).await;
        if again.status == 304 && again.text.is_empty() { Ok(()) } else { Err(again) }
    })
    .await;
    ann.part("/", "nothing", None).await.is(404);
}

#[tokio::test]
async fn people_log_in_and_look_while_the_servers_are_down() {
    let desk = Desk::new().await;
    desk.ground.declare().await;
    let proxy = Proxy::start(desk.ground.database_address()).expect("a free port");
    let console = {
        let clients = super::visitor::accounts();
        desk.file("accounts.toml", &clients);
        desk.console_on(&desk.ground.database_url_via(proxy.addr()), &[]).await
    };
    proxy.cut();
    let mut ann = Visitor::of(&console, "viewer").await;
    eventually("the page to say that MySQL is down", async || {
        let page = ann.get("/").await.is(200);
        if page.text.contains("Unreachable:") && page.text.contains("MySQL since") { Ok(()) } else { Err(page.text) }
    })
    .await;
    ann.get("/").await.says("unknown").says("waiting in");
    proxy.heal();
    eventually("the page to know MySQL again", async || {
        let page = ann.get("/").await.is(200);
        if page.text.contains("Unreachable:") { Err(page.text) } else { Ok(()) }
    })
    .await;
}
