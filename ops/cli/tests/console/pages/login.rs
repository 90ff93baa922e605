//! Logging in and out, and what a session is good for.

use std::process::Stdio;

use reqwest::Method;
use sluice_lab::testing::eventually;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::visitor::{PASSWORD, Shown, Visitor, account};
use crate::console::Console;
use crate::ground::{Desk, path};

#[tokio::test]
async fn a_person_logs_in_is_led_back_and_logs_out() {
    let desk = Desk::new().await;
    let console = desk.pages(&[]).await;
    let mut ann = Visitor::new(&console);
    let asked = ann.get("/account?a=b").await.goes_to("/login?to=%2Faccount%3Fa%3Db");
    ann.get(&asked.to.expect("the way")).await.is(200).says("name=\"to\" value=\"/account?a=b\"");
    let fields = [("name", "operator"), ("password", PASSWORD), ("to", "/account?a=b")];
    let cookie = ann.post("/login", &fields).await.goes_to("/account?a=b").cookie.expect("a cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "there is no TLS in front");
    let page = ann.get("/account").await.is(200).says("operator").lacks("href=\"/login");
    let asset = page.text.split('"').find(|part| part.starts_with("/assets/") && part.ends_with(".css"));
    ann.get(asset.expect("a style sheet")).await.is(200).says("--ground");
    ann.get("/assets/console-0.css").await.is(404);
    ann.get("/nowhere").await.is(404).says("no such page");
    let kept = ann.cookie.clone();
    ann.post("/logout", &[]).await.goes_to("/login");
    ann.part("/account", "main", None).await.is(401);
    ann.cookie = kept.map(|cookie| cookie.replace("operator", "admin"));
    ann.get("/account").await.is(303);
    ann.post("/logout", &[]).await.goes_to("/login?to=%2F&form=1");
}

#[tokio::test]
async fn nobody_is_told_which_half_was_wrong_and_many_tries_have_to_wait() {
    let desk = Desk::new().await;
    let console = desk.pages(&[]).await;
    let mut visitor = Visitor::new(&console);
    let mut said = Vec::new();
    for (name, password) in [("viewer", "wrong"), ("nobody", PASSWORD), ("", ""), ("viewer", &"x".repeat(3000))] {
        let shown = visitor.post("/login", &[("name", name), ("password", password)]).await.is(401);
        assert!(shown.cookie.is_none());
        said.push(shown.text.replace("value=\"viewer\"", "value=\"\"").replace("value=\"nobody\"", "value=\"\""));
    }
    assert!(said.iter().all(|text| *text == said[0]), "{said:#?}");
    for name in ["admin", "nobody at all"] {
        for _ in 0..5 {
            visitor.post("/login", &[("name", name), ("password", "wrong")]).await.is(401);
        }
        // The first wait is a second and begins before the last password was hashed: it may be over on a busy machine.
        // Each further try that fails doubles it.
        eventually("even the right password to have to wait", async || {
            let wrong = visitor.post("/login", &[("name", name), ("password", "wrong")]).await;
            let right = visitor.post("/login", &[("name", name), ("password", PASSWORD)]).await;
            let wait = |shown: &Shown| shown.status == 429 && shown.text.contains("Try again in");
            if wait(&wrong) && wait(&right) { Ok(()) } else { Err((wrong.status, right.status)) }
        })
        .await;
    }
    visitor.post("/login", &[("name", "lead"), ("password", PASSWORD)]).await.goes_to("/");
}

#[tokio::test]
async fn a_session_ends_when_the_account_changes() {
    let desk = Desk::new().await;
    let console = desk.pages(&[]).await;
    let mut ann = Visitor::of(&console, "admin").await;
    ann.get("/account").await.is(200);
    desk.file("accounts.toml", &(account("admin", "viewer") + "generation = 1\n"));
    eventually("the session to be over", async || match ann.get("/account").await.status {
        303 => Ok(()),
        status => Err(status),
    })
    .await;
    let mut again = Visitor::of(&console, "admin").await;
    again.get("/account").await.is(200).says("viewer");
}

#[tokio::test]
async fn a_form_of_another_site_and_a_foreign_host_are_refused() {
    let desk = Desk::new().await;
    let console = desk.pages(&["--url", "https://console.example,http://inside:8082"]).await;
    let mut ann = Visitor::of(&console, "viewer").await;
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("x-nothing", "")] {
        let request = ann.request(Method::POST, "/logout").header(name, value);
        ann.send(request).await.is(403).says("Not from here");
    }
    ann.get("/account").await.is(200);
    let rebound = ann.request(Method::GET, "/account").header("host", "evil.example");
    ann.send(rebound).await.is(421).says("SLUICE_CONSOLE_URL");
    let mut by_name = Visitor::new(&console);
    let request = by_name.request(Method::POST, "/login").header("host", "console.example");
    let request = request.header("sec-fetch-site", "same-origin");
    let request = by_name.form(request, &[("name", "viewer"), ("password", PASSWORD)]);
    let cookie = by_name.send(request).await.goes_to("/").cookie.expect("a cookie");
    assert!(cookie.starts_with("__Host-sluice=") && cookie.ends_with("; Secure"), "{cookie}");
}

#[tokio::test]
async fn without_accounts_a_link_lets_one_in_once() {
    let desk = Desk::new().await;
    let console = Console::start(&[], &desk.ground.environment()).await;
    console.program.says("open this once to get in: ", 1).await;
    let said = console.program.said();
    let link = said.lines().find_map(|line| line.split_once("get in: ")).expect("it says it").1;
    let (_, word) = link.split_once("/login?once=").expect("a link");
    let mut ann = Visitor::new(&console);
    ann.get("/login").await.is(200).says("has no accounts");
    ann.get(&format!("/login?once={word}")).await.is(200).says("Open the console");
    ann.get(&format!("/login?once={word}")).await.is(200).says("Open the console");
    ann.post("/login", &[("once", "another")]).await.is(401);
    ann.post("/login", &[("once", word)]).await.goes_to("/");
    ann.get("/account").await.is(200).says("admin");
    Visitor::new(&console).post("/login", &[("once", word)]).await.is(401).says("used already");
    Visitor::new(&console).post("/login", &[("name", "local"), ("password", "")]).await.is(401);
}

#[tokio::test]
async fn an_account_is_made_with_the_lines_for_the_file() {
    let desk = Desk::new().await;
    let made = async |args: &[&str], stdin: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
        command.args(["console", "account"]).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program was built");
        child.stdin.take().expect("it is piped").write_all(stdin.as_bytes()).await.expect("it reads");
        let output = child.wait_with_output().await.expect("it ends");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, drawn, said) = made(&["ann", "--role", "lead"], "").await;
    let password = said.lines().find_map(|line| line.strip_prefix("password: ")).expect("it says it");
    assert!(code == Some(0) && !drawn.contains(password), "{drawn}");
    let (code, chosen, said) = made(&["bob", "--role", "viewer", "--password-stdin"], "a long password\n").await;
    assert_eq!((code, said.as_str()), (Some(0), ""));
    let (code, _, said) = made(&["bob", "--role", "viewer", "--password-stdin"], "short\n").await;
    assert!(code == Some(1) && said.contains("fewer than 10"), "{said}");
    let file = desk.file("accounts.toml", &format!("{drawn}{chosen}"));
    let console = desk.console(&["--accounts", &path(&file)]).await;
    for (name, password) in [("ann", password), ("bob", "a long password")] {
        Visitor::new(&console).post("/login", &[("name", name), ("password", password)]).await.goes_to("/");
    }
}
