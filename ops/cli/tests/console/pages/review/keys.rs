//! What needs a browser: a shift by keys alone, a claim that lasts while somebody works, a page without script.

use std::time::{Duration, Instant};

use serde_json::json;
use sluice_lab::testing::{eventually, in_time};
use sluice_mysql::review::Ruling;

use crate::ground::Desk;
use crate::pages::browser::{at, holds, log_in, open};
use crate::pages::visitor::PASSWORD;
use crate::pages::webdriver::{Browser, in_browser};

/// Waits until this is so.
async fn until(browser: &Browser, what: &str, expression: &str) {
    eventually(what, async || {
        if browser.ask(expression).await? == true {
            return Ok(());
        }
        Err(browser.ask("document.documentElement.outerHTML").await?.to_string())
    })
    .await;
}

#[tokio::test]
async fn twenty_cases_are_decided_by_keys_in_less_than_a_minute() {
    let desk = Desk::new().await;
    let cases = desk.held_posts(20).await;
    let console = desk.reviewing().await;
    in_browser(true, async |browser| {
        log_in(browser, &console, "moderator").await;
        browser.press("gr").await;
        at(browser, "/review").await;
        let begun = Instant::now();
        browser.press("n").await;
        for number in 0..cases.len() {
            let ready = format!("document.readyState === 'complete' && !!document.querySelector('.post-title') && document.querySelector('.post-title').textContent.includes('post {number:02}')");
            until(browser, &format!("case {number}"), &ready).await;
            browser.press(["a", "1", "2", "3"][number % 4]).await;
        }
        at(browser, "/review").await;
        in_time("twenty cases", begun.elapsed(), Duration::from_secs(60));
        browser.press("?").await;
        let keys = browser.value("document.querySelector('dialog[open]').textContent").await.to_string();
        assert!(keys.contains("undo your last decision"), "{keys}");
        browser.press("\u{e00c}").await;
        until(browser, "the list to close", "!document.querySelector('dialog[open]')").await;
        browser.press("u").await;
        at(browser, &format!("/review/cases/{}", cases[19].case)).await;
        browser.press("c").await;
        browser.press("as12").await;
        assert!(holds(browser, "document.activeElement.value === 'as12'").await, "keys are text in a field");
        assert_eq!(browser.log().await, json!([]));
    })
    .await;
    let decided = desk.store.measures(time::OffsetDateTime::UNIX_EPOCH, None).await.expect("the database answers");
    let all = &decided[0];
    assert_eq!((all.decisions, all.approved, all.rejected, all.undone), (20, 5, 15, 1));
}

#[tokio::test]
async fn whoever_presses_a_key_too_late_is_told_and_goes_on_with_the_next() {
    let desk = Desk::new().await;
    let cases = desk.held_posts(2).await;
    let console = desk.reviewing().await;
    in_browser(true, async |browser| {
        log_in(browser, &console, "moderator").await;
        open(browser, &console, "/review").await;
        browser.press("n").await;
        at(browser, &format!("/review/cases/{}", cases[0].case)).await;
        desk.lapse().await;
        desk.decide(cases[0].case, Ruling::Reject).await;
        browser.press("a").await;
        browser.find(".conflict").await;
        assert!(browser.source().await.contains("lea (lead) decided at"));
        browser.press("n").await;
        at(browser, &format!("/review/cases/{}", cases[1].case)).await;
    })
    .await;
}

#[tokio::test]
async fn a_claim_is_extended_by_work_and_not_by_an_open_page_or_a_hidden_one() {
    let desk = Desk::new().await;
    let case = desk.held_posts(1).await.remove(0);
    let console = desk.reviewing().await;
    in_browser(true, async |browser| {
        log_in(browser, &console, "moderator").await;
        open(browser, &console, "/review").await;
        browser.press("n").await;
        at(browser, &format!("/review/cases/{}", case.case)).await;
        browser.find("#keep").await;
        let claimed = desk.now(&case).await.claimed_until;
        browser.value("document.getElementById('keep').dataset.beat = '0'").await;
        let polls = "performance.getEntriesByType('resource').filter(one => one.initiatorType === 'fetch').length";
        let three_polls = format!("{polls} >= 3");
        until(browser, "the page to ask three times", &three_polls).await;
        assert_eq!(desk.now(&case).await.claimed_until, claimed, "an open page alone extends nothing");
        // Another tab is in front of it, and does something in it from there: its timers go on.
        let own = browser.tab().await;
        browser.value("!!window.open('/account')").await;
        browser.show_tab(&browser.other_tab(&own).await).await;
        until(browser, "the page to be in the background", "!!window.opener && window.opener.document.hidden").await;
        let works = "window.opener.document.dispatchEvent(new window.opener.KeyboardEvent('keydown', { key: 'x' }))";
        assert!(holds(browser, works).await);
        let ticks = "(window.ticks = window.ticks ?? Date.now()) && Date.now() - window.ticks > 3500";
        until(browser, "three beats to pass", ticks).await;
        assert_eq!(desk.now(&case).await.claimed_until, claimed, "a hidden page extends nothing");
        browser.show_tab(&own).await;
        eventually("work to extend the claim", async || {
            let until = desk.now(&case).await.claimed_until;
            if until > claimed { Ok(()) } else { Err(until) }
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn without_script_a_moderator_goes_the_whole_way_by_forms() {
    let desk = Desk::new().await;
    let cases = desk.held_posts(3).await;
    let console = desk.reviewing().await;
    in_browser(false, async |browser| {
        browser.resize(1280, 1400).await;
        open(browser, &console, "/review").await;
        browser.write("#name", "moderator").await;
        browser.write("#password", PASSWORD).await;
        browser.follow("button.primary").await;
        browser.follow("form[action='/review/next'] button").await;
        browser.follow("button[value='rude']").await;
        browser.follow("form.undo button").await;
        browser.write("#note-text", "once more").await;
        browser.follow("form[action$='/notes'] button").await;
        browser.click(".ruling summary").await;
        browser.click("input[value='ads']").await;
        browser.click("input[value='topic']").await;
        browser.write("#message", "Not here, please.").await;
        browser.follow("details form button.danger").await;
        browser.follow("button[data-key='s']").await;
        browser.follow("#keep button").await;
        browser.follow("button[value='approve']").await;
        browser.find("nav.pages").await;
    })
    .await;
    let stands = desk.store.decisions_of(cases[0].post).await.expect("the database answers");
    let last = stands.last().expect("it is decided");
    assert_eq!((last.revision, last.policies.len(), last.message.as_deref()), (3, 2, Some("Not here, please.")));
    let states = [desk.now(&cases[1]).await.state, desk.now(&cases[2]).await.state];
    assert_eq!(states, ["waiting", "decided"]);
}
