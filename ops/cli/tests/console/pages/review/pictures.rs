//! How the pages look: each is opened in three widths, light and dark. With `SLUICE_PICTURES`, a folder, the pictures are
//! kept there: `case-1280-light.png` is docs/console-case.png, and `same-1280-dark.png` docs/console-same.png.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use sluice_mysql::review::Ruling;

use crate::ground::Desk;
use crate::pages::browser::{at, holds, log_in, open};
use crate::pages::webdriver::{Browser, in_browser};

const SPAM: &str = "Hey all,\n\nI lost 20 kg in two weeks with these pills. Buy ｖｉａｇｒａ now, no prescription needed!\n\n\
                    Add me on wh@tsapp +1 555 123 4567 or look at https://cheap-pills.example/?ref=17\n\nYou are such \
                    idiots if you still pay full price.";

async fn keep(browser: &Browser, name: &str) {
    let picture = STANDARD.decode(browser.picture().await).expect("it is base64");
    assert!(picture.starts_with(b"\x89PNG"), "{name}");
    if let Some(folder) = std::env::var_os("SLUICE_PICTURES") {
        std::fs::write(PathBuf::from(folder).join(format!("{name}.png")), picture).expect("the folder is there");
    }
}

#[tokio::test]
async fn pages_of_the_review_fit_into_every_window_light_and_dark() {
    let desk = Desk::new().await;
    let case = desk.held_post("pill_king", "Lose weight fast!!!", SPAM).await;
    for number in 1..4 {
        desk.held_post(&format!("pill_king_{number}"), "Lose weight fast!!!", SPAM).await;
    }
    desk.held_post("bob", "Is this satire?", "The mayor is an idiot, and that is a fact.").await;
    desk.held_posts(9).await;
    desk.held_post("pill_king", "Pills at half the price", "Write to me.").await;
    let hello = desk.held_post("pill_king", "Hello", "I am new here.").await;
    desk.decide(hello.case, Ruling::Approve).await;
    let note = "Third time this week: the same text under another name.";
    desk.store.add_note(uuid::Uuid::now_v7(), case.case, "lead", note).await.expect("the database answers");
    let console = desk.reviewing().await;
    in_browser(true, async |browser| {
        log_in(browser, &console, "moderator").await;
        open(browser, &console, "/review").await;
        browser.press("n").await;
        let path = format!("/review/cases/{}", case.case);
        at(browser, &path).await;
        let same = format!("{path}/same");
        for (width, height) in [(390, 844), (1280, 800), (1920, 1080)] {
            browser.resize(width, height).await;
            for scheme in ["light", "dark"] {
                browser.prefer(scheme).await;
                for (name, path) in [
                    ("review", "/review"),
                    ("case", path.as_str()),
                    ("same", same.as_str()),
                    ("cases", "/review/cases"),
                    ("measures", "/review/measures"),
                    ("decided", "/review/decided"),
                    ("comfort", "/review/comfort"),
                ] {
                    open(browser, &console, path).await;
                    browser.find("main h1").await;
                    let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
                    assert!(holds(browser, fits).await, "{path} is wider than {width}");
                    keep(browser, &format!("{name}-{width}-{scheme}")).await;
                }
            }
        }
        browser.resize(1280, 800).await;
        browser.prefer("light").await;
        open(browser, &console, &path).await;
        browser.press("1").await;
        browser.find(".undo").await;
        keep(browser, "after-1280-light").await;
        browser.press("?").await;
        keep(browser, "keys-1280-light").await;
    })
    .await;
}
