//! Posts that attack whoever reads them.

use sluice_core::visible::is_hidden;

use super::queue::sent;
use crate::ground::Desk;
use crate::pages::browser::{holds, log_in, open};
use crate::pages::visitor::Visitor;
use crate::pages::webdriver::in_browser;

const NASTY: &str = "</pre></mark><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">\
                     <style>*{display:none}</style><form action=//evil.example><button autofocus>\u{202e}\u{200b}\u{9b}'\"&";

#[tokio::test]
async fn hostile_posts_run_no_script_break_no_policy_and_no_layout() {
    let desk = Desk::new().await;
    let wide = "W".repeat(4000);
    let case = desk
        .held_post(&format!("{}\u{202e}", &NASTY[..60]), &NASTY[..180], &format!("{NASTY} viagra {wide} {NASTY}"))
        .await;
    desk.held_post(&format!("{}\u{202e}", &NASTY[..60]), &wide[..200], NASTY).await;
    desk.store.add_note(uuid::Uuid::now_v7(), case.case, &NASTY[..60], NASTY).await.expect("the database answers");
    let console = desk.reviewing().await;
    let path = format!("/review/cases/{}", case.case);
    let mut ann = Visitor::of(&console, "moderator").await;
    let page = ann.get(&path).await.is(200).says("\\u{202e}").lacks("<script>").lacks("<img").lacks("<style>");
    assert!(!page.text.chars().any(|c| c != '\n' && is_hidden(c)), "every hidden character is a mark");
    assert!(page.text.len() < 100_000, "{}", page.text.len());
    let next = uuid::Uuid::now_v7().to_string();
    let first = ann.post("/review/next", &[("next", &next)]).await.leads();
    let form = ann.get(&first).await.is(200).ruling("ruling", "approve");
    let second = ann.post(&format!("{first}/decide"), &sent(&form)).await.leads();
    let same = format!("{}/same", second.split('?').next().expect("a path"));
    let pages = [
        "/review",
        &path,
        &second,
        &same,
        "/review/cases",
        "/review/decided",
        "/review/measures?by=queue",
        "/review/measures?by=rule",
        "/review/comfort",
    ];
    in_browser(true, async |browser| {
        log_in(browser, &console, "moderator").await;
        for (width, height) in [(390, 844), (1280, 800), (1920, 1080)] {
            browser.resize(width, height).await;
            for path in pages {
                open(browser, &console, path).await;
                browser.find("main h1").await;
                assert!(!holds(browser, "document.title.includes('owned')").await, "{path}");
                let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
                assert!(holds(browser, fits).await, "{path} is wider than {width}");
            }
        }
        assert_eq!(browser.log().await, serde_json::json!([]), "nothing is complained about");
    })
    .await;
}
