//! What needs a browser: that no script of a stranger runs, keys, focus that survives a refresh, the way back, and pages
//! without script.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use serde_json::json;
use sluice_lab::testing::{Program, eventually};
use thirtyfour::common::log::LoggingPrefsLogLevel;
use thirtyfour::prelude::*;

use super::house::House;
use super::visitor::PASSWORD;
use crate::console::Console;
use crate::support::Dead;

/// Runs a test in a browser of its own, which ends with it.
async fn in_browser(script: bool, test: impl AsyncFnOnce(&WebDriver)) {
    let driver = Program::start("chromedriver", &["--port=0"], &[]);
    driver.says("started successfully on port ", 1).await;
    let said = driver.said();
    let (_, port) = said.split_once("started successfully on port ").expect("it says so");
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    let mut wishes = DesiredCapabilities::chrome();
    for flag in ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"] {
        wishes.add_arg(flag).expect("a flag");
    }
    wishes.set_logging_prefs("browser", LoggingPrefsLogLevel::All).expect("a wish");
    if !script {
        let off = json!({ "profile.managed_default_content_settings.javascript": 2 });
        wishes.add_experimental_option("prefs", off).expect("a wish");
    }
    let browser = WebDriver::new(format!("http://127.0.0.1:{port}"), wishes).await.expect("Chromium starts");
    let done = AssertUnwindSafe(test(&browser)).catch_unwind().await;
    browser.quit().await.expect("it ends");
    if let Err(panic) = done {
        std::panic::resume_unwind(panic);
    }
}

/// Logs in by the page.
async fn log_in(browser: &WebDriver, console: &Console, name: &str) {
    open(browser, console, "/login").await;
    find(browser, "#name").await.send_keys(name).await.expect("it is typed");
    find(browser, "#password").await.send_keys(PASSWORD).await.expect("it is typed");
    find(browser, "button.primary").await.click().await.expect("it is clicked");
    at(browser, "/").await;
}

async fn open(browser: &WebDriver, console: &Console, path: &str) {
    browser.goto(format!("{}{path}", console.at)).await.expect("it opens");
}

async fn find(browser: &WebDriver, css: &str) -> WebElement {
    let found = async || browser.find(By::Css(css)).await.map_err(|error| error.to_string());
    eventually(&format!("{css} to be there"), found).await
}

/// Waits until this page is open.
async fn at(browser: &WebDriver, path: &str) {
    eventually(&format!("{path} to be open"), async || {
        let url = browser.current_url().await.expect("it is somewhere");
        let ready = browser.execute("return document.readyState", Vec::new()).await.expect("a page");
        if url.path() == path && ready.json() == "complete" { Ok(()) } else { Err(url) }
    })
    .await;
}

async fn press(browser: &WebDriver, keys: &str) {
    browser.action_chain().send_keys(keys).perform().await.expect("keys are pressed");
}

async fn holds(browser: &WebDriver, script: &str) -> bool {
    browser.execute(format!("return {script}"), Vec::new()).await.expect("a script").json() == true
}

#[tokio::test]
async fn hostile_dead_letters_run_no_script_and_break_no_policy_on_any_page() {
    let house = House::new().await;
    let nasty = "</td><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">\
                 <style>*{display:none}</style>\u{202e}\u{200b}";
    let wide = "W".repeat(180);
    let dead: Vec<Dead> = (0..20)
        .map(|number| Dead { message: format!("{nasty} {wide}"), ..Dead::new(&format!("{nasty}{number}")) })
        .collect();
    house.ground.dead(&dead).await;
    let console = house.console().await;
    in_browser(true, async |browser| {
        log_in(browser, &console, "operator").await;
        open(browser, &console, "/dead-letters").await;
        find(browser, "[data-row]").await;
        let one = format!("/dead-letters/one?id={}", dead[0].id);
        let pages = [
            "/",
            "/dead-letters",
            "/dead-letters/list",
            &one,
            "/operations/plan?action=replay",
            "/operations",
            "/audit",
        ];
        for path in pages {
            open(browser, &console, path).await;
            find(browser, "main h1").await;
            assert!(!holds(browser, "document.title.includes('owned')").await, "{path}");
            let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
            assert!(holds(browser, fits).await, "{path} is wider than its window");
        }
        let log = browser.browser_log().await.expect("there is a log");
        assert!(log.is_empty(), "{log:?}");
    })
    .await;
}

#[tokio::test]
async fn keys_lead_everywhere_and_do_nothing_while_somebody_types() {
    let house = House::new().await;
    house.ground.dead(&Dead::some(3)).await;
    let console = house.console().await;
    in_browser(true, async |browser| {
        log_in(browser, &console, "operator").await;
        press(browser, "gd").await;
        at(browser, "/dead-letters").await;
        find(browser, "[data-row]").await;
        press(browser, "?").await;
        let list = find(browser, "dialog[open]").await.text().await.expect("a text");
        assert!(list.contains("the audit log") && list.contains("read the dead letters again"), "{list}");
        press(browser, "\u{e00c}").await;
        eventually("the list to close", async || {
            if holds(browser, "!document.querySelector('dialog[open]')").await { Ok(()) } else { Err(()) }
        })
        .await;
        press(browser, "j").await;
        assert!(holds(browser, "document.activeElement.matches('[data-row]')").await);
        press(browser, "\u{e007}").await;
        at(browser, "/dead-letters/list").await;
        press(browser, "gu").await;
        at(browser, "/audit").await;
        find(browser, "#dead_letter").await.send_keys("god").await.expect("it is typed");
        assert!(holds(browser, "location.pathname === '/audit' && document.activeElement.value === 'god'").await);
        browser.back().await.expect("it goes back");
        at(browser, "/dead-letters/list").await;
    })
    .await;
}

#[tokio::test]
async fn a_refresh_changes_what_differs_and_keeps_the_focus() {
    let house = House::new().await;
    house.ground.dead(&Dead::some(3)).await;
    let console = house.console().await;
    in_browser(true, async |browser| {
        log_in(browser, &console, "viewer").await;
        open(browser, &console, "/dead-letters").await;
        find(browser, "[data-row]").await;
        press(browser, "j").await;
        let age = async || find(browser, ".age").await.text().await.unwrap_or_default();
        let first = age().await;
        eventually("the age to change", async || if age().await == first { Err(()) } else { Ok(()) }).await;
        assert!(holds(browser, "document.activeElement.matches('[data-row]')").await, "the focus stays on its row");
    })
    .await;
}

#[tokio::test]
async fn without_script_pages_and_forms_work() {
    let house = House::new().await;
    house.ground.dead(&Dead::some(2)).await;
    let console = house.console().await;
    in_browser(false, async |browser| {
        open(browser, &console, "/dead-letters").await;
        find(browser, "#name").await.send_keys("operator").await.expect("it is typed");
        find(browser, "#password").await.send_keys(PASSWORD).await.expect("it is typed");
        find(browser, "button.primary").await.click().await.expect("it is clicked");
        find(browser, "a[href='/dead-letters/list']").await.click().await.expect("a link");
        find(browser, "a[href^='/operations/plan?action=drop']").await.click().await.expect("a link");
        find(browser, "#reason").await.send_keys("they are old").await.expect("it is typed");
        find(browser, "button.danger").await.click().await.expect("a form");
        eventually("the operation to have ended", async || {
            browser.refresh().await.expect("the page again");
            let page = browser.source().await.expect("a page");
            if page.contains("2 dropped") { Ok(()) } else { Err(page) }
        })
        .await;
    })
    .await;
    assert_eq!(house.ground.dead_letters().await, 0);
}
