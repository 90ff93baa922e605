//! What moderators set for themselves.

use sluice_mysql::review::Ruling;
use uuid::Uuid;

use crate::ground::Desk;
use crate::pages::browser::{holds, log_in, open};
use crate::pages::visitor::Visitor;
use crate::pages::webdriver::in_browser;

const NASTY: &str = "Buy viagra now, add me on whatsapp +15551234567";

#[tokio::test]
async fn a_break_is_offered_to_whoever_set_it_and_never_forced() {
    let desk = Desk::new().await;
    let cases = desk.held_posts(4).await;
    let console = desk.reviewing().await;
    let mut ann = Visitor::of(&console, "moderator").await;
    ann.post("/review/comfort", &[("cases", "2"), ("minutes", "0")]).await.goes_to("/review/comfort?saved=1");
    ann.get("/review/comfort?saved=1").await.is(200).says("for you alone").says("value=\"2\"");
    for wrong in [("cases", "-1"), ("minutes", "many"), ("cases", "99999"), ("cover", &"x".repeat(51))] {
        ann.post("/review/comfort", &[wrong]).await.is(422).says(wrong.0);
    }
    desk.decide(cases[0].case, Ruling::Approve).await;
    desk.decide(cases[1].case, Ruling::Approve).await;
    ann.get("/review").await.is(200).lacks("Time for a break");
    desk.ground.sql("UPDATE review_decisions SET decided_by = 'moderator'").await;
    ann.get("/review").await.is(200).says("You have decided 2 cases").says("Time for a break");
    let path = ann.post("/review/next", &[("next", &Uuid::now_v7().to_string())]).await.leads();
    let page = ann.get(&path).await.is(200).says("Time for a break").says("Approve");
    let claim = page.field("/review/pause", "claim");
    let case = cases[2].case.to_string();
    let answer = |answer| [("answer", answer), ("case", case.as_str()), ("claim", claim.as_str())];
    ann.post("/review/pause", &answer("later")).await.goes_to(&path);
    ann.get(&path).await.is(200).lacks("Time for a break").says("yours");
    ann.post("/review/pause", &answer("break")).await.goes_to("/review");
    assert_eq!(desk.now(&cases[2]).await.state, "waiting");
    let mut lea = Visitor::of(&console, "lead").await;
    let kept = ann.cookie.clone().expect("cookies");
    let kept = kept.split("; ").find(|cookie| cookie.starts_with("sluice-kept=")).expect("what is kept").to_owned();
    lea.cookie = lea.cookie.map(|cookie| format!("{cookie}; {kept}"));
    lea.get("/review/comfort").await.is(200).says("name=\"cases\" inputmode=\"numeric\" value=\"0\"");
}

#[tokio::test]
async fn titles_in_lists_are_covered_as_the_posts_are() {
    let desk = Desk::new().await;
    let case = desk.held_post("ann", "Buy viagra", NASTY).await;
    let other = desk.held_post("ann", "Hello", "Good morning.").await;
    let console = desk.reviewing().await;
    let mut ann = Visitor::of(&console, "moderator").await;
    ann.get("/review/cases").await.is(200).says("Buy viagra").lacks("class=\"found\"").lacks("masked");
    ann.post("/review/comfort", &[("mask", "1")]).await.is(303);
    ann.get("/review/cases").await.is(200).says("scroll masked").says("<span class=\"found\">Buy viagra</span>");
    ann.get("/review/cases").await.says("<span>Hello</span>");
    ann.post("/review/comfort", &[("cover", "drugs")]).await.is(303);
    desk.claimed_by(&case, "moderator").await;
    for path in ["/review/cases?state=claimed", "/review", &format!("/review/cases/{}", other.case)] {
        ann.get(path).await.is(200).says("(covered: drugs)").lacks("viagra");
    }
    desk.lapse().await;
    desk.decide(case.case, Ruling::Approve).await;
    desk.ground.sql("UPDATE review_decisions SET decided_by = 'moderator'").await;
    ann.get("/review/decided").await.is(200).says("(covered: drugs)").lacks("viagra");
}

#[tokio::test]
async fn covered_posts_show_when_they_are_asked_for_and_covered_words_when_they_have_the_focus() {
    let desk = Desk::new().await;
    let case = desk.held_post("ann", "Hello", NASTY).await;
    let console = desk.reviewing().await;
    in_browser(true, async |browser| {
        log_in(browser, &console, "moderator").await;
        open(browser, &console, "/review/comfort").await;
        browser.write("#cover", "sexual, drugs").await;
        browser.click("input[name='mask']").await;
        browser.follow("button.primary").await;
        browser.find(".notice.good").await;
        open(browser, &console, &format!("/review/cases/{}", case.case)).await;
        browser.find(".veil").await;
        assert!(holds(browser, "!document.querySelector('.post').checkVisibility()").await);
        browser.press("v").await;
        assert!(holds(browser, "document.querySelector('.post').checkVisibility()").await);
        let clear = "getComputedStyle(document.querySelector('mark')).color === 'rgba(0, 0, 0, 0)'";
        assert!(holds(browser, clear).await);
        browser.value("document.querySelector('mark').focus()").await;
        assert!(!holds(browser, clear).await);
        open(browser, &console, &format!("/review/cases/{}/same", case.case)).await;
        assert!(browser.source().await.contains("Covered, as you have set it for drugs"));
        assert_eq!(browser.log().await, serde_json::json!([]));
    })
    .await;
}
