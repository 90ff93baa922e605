//! What needs a browser: that no script of a stranger runs, keys, focus that survives a refresh, the way back, and pages
//! without script.

use sluice_lab::testing::eventually;

use super::house::House;
use super::visitor::PASSWORD;
use super::webdriver::{Browser, in_browser};
use crate::console::Console;
use crate::support::Dead;

/// Logs in by the page.
pub(crate) async fn log_in(browser: &Browser, console: &Console, name: &str) {
    open(browser, console, "/login").await;
    browser.write("#name", name).await;
    browser.write("#password", PASSWORD).await;
    browser.follow("button.primary").await;
    at(browser, "/").await;
}

pub(crate) async fn open(browser: &Browser, console: &Console, path: &str) {
    browser.open(&format!("{}{path}", console.at)).await;
}

/// Waits until this page is open.
pub(crate) async fn at(browser: &Browser, path: &str) {
    let open = "document.readyState === 'complete' ? location.pathname : ''";
    eventually(&format!("{path} to be open"), async || {
        let shown = browser.ask(open).await?;
        if shown == path { Ok(()) } else { Err(shown.to_string()) }
    })
    .await;
}

pub(crate) async fn holds(browser: &Browser, expression: &str) -> bool {
    browser.value(expression).await == true
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
        browser.find("[data-row]").await;
        let [one, edit] = ["one", "edit"].map(|page| format!("/dead-letters/{page}?id={}", dead[0].id));
        let pages = [
            "/",
            "/dead-letters",
            "/dead-letters/list",
            &one,
            &edit,
            "/operations/plan?action=replay",
            "/operations",
            "/audit",
        ];
        for path in pages {
            open(browser, &console, path).await;
            browser.find("main h1").await;
            assert!(!holds(browser, "document.title.includes('owned')").await, "{path}");
            let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
            assert!(holds(browser, fits).await, "{path} is wider than its window");
        }
        let log = browser.log().await;
        assert_eq!(log, serde_json::json!([]), "nothing is complained about");
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
        browser.press("gd").await;
        at(browser, "/dead-letters").await;
        browser.find("[data-row]").await;
        browser.press("?").await;
        let list = browser.value("document.querySelector('dialog[open]').textContent").await.to_string();
        assert!(list.contains("the audit log") && list.contains("read the dead letters again"), "{list}");
        browser.press("\u{e00c}").await;
        eventually("the list to close", async || {
            if holds(browser, "!document.querySelector('dialog[open]')").await { Ok(()) } else { Err(()) }
        })
        .await;
        browser.press("j").await;
        assert!(holds(browser, "document.activeElement.matches('[data-row]')").await);
        browser.press("\u{e007}").await;
        at(browser, "/dead-letters/list").await;
        browser.press("gu").await;
        at(browser, "/audit").await;
        browser.write("#dead_letter", "god").await;
        assert!(holds(browser, "location.pathname === '/audit' && document.activeElement.value === 'god'").await);
        browser.back().await;
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
        browser.find("[data-row]").await;
        browser.press("j").await;
        let age = async || browser.value("document.querySelector('.age').textContent").await;
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
        browser.write("#name", "operator").await;
        browser.write("#password", PASSWORD).await;
        browser.follow("button.primary").await;
        // The first look at them may take longer than the page waits, and without script it stays as it is.
        eventually("the dead letters to be read", async || {
            let page = browser.source().await;
            if page.contains("href=\"/dead-letters/list\"") {
                return Ok(());
            }
            browser.refresh().await;
            Err(page)
        })
        .await;
        browser.follow("a[href='/dead-letters/list']").await;
        browser.follow("a[href^='/operations/plan?action=drop']").await;
        browser.write("#reason", "they are old").await;
        browser.follow("button.danger").await;
        eventually("the operation to have ended", async || {
            browser.refresh().await;
            let page = browser.source().await;
            if page.contains("2 dropped") { Ok(()) } else { Err(page) }
        })
        .await;
    })
    .await;
    assert_eq!(house.ground.dead_letters().await, 0);
}
