//! Dead letters: kinds, pages of one kind, one whole; hostile ones, too.

use sluice_lab::testing::eventually;

use super::house::House;
use super::visitor::{Shown, Visitor};
use crate::ground::Desk;
use crate::support::Dead;

/// The page, once the first look is over.
pub(crate) async fn seen(visitor: &mut Visitor, path: &str, words: &str) -> Shown {
    eventually(&format!("{path} to say {words:?}"), async || {
        let page = visitor.get(path).await.is(200);
        if page.text.contains(words) { Ok(page) } else { Err(page.text) }
    })
    .await
}

#[tokio::test]
async fn kinds_lead_to_their_dead_letters_and_those_to_one_whole() {
    let house = House::new().await;
    let long: Vec<Dead> = (0..60).map(|number| Dead::new(&format!("title {number:02}"))).collect();
    let other = Dead { code: "malformed", message: "not JSON".to_owned(), ..Dead::new("another") };
    house.ground.dead(&[long, vec![other.clone()]].concat()).await;
    let console = house.console().await;
    let mut ann = Visitor::of(&console, "viewer").await;
    let kinds = seen(&mut ann, "/dead-letters", "61 dead letters of 2 kinds").await;
    let kinds = kinds.says("mysql_1406").says("malformed").says("as of 20").says("new</span>");
    let (_, rest) = kinds.text.split_once("data-row href=\"").expect("a link");
    let path = rest.split('"').next().expect("its end").to_owned();
    let first = ann.get(&path).await.is(200).says("60 of 61").says("title 00").says("title 49").lacks("title 50");
    assert!(first.text.len() < 100_000, "{}", first.text.len());
    ann.get(&format!("{path}&from=50")).await.is(200).says("title 50").says("51 to 60 shown").lacks("title 49");
    ann.get("/dead-letters/list?code=malformed").await.is(200).says("1 of 61").lacks("title 00");
    // What a body contains, the next look looks for, once for all viewers.
    let body = "/dead-letters/list?contains=ANOTHER";
    seen(&mut ann, body, "1 of 61").await.says("value=\"ANOTHER\"").lacks("title 00");
    ann.get(&format!("{body}&code=mysql_1406")).await.is(200).says("No dead letter matches");
    seen(&mut ann, "/dead-letters/list?contains=nowhere", "No dead letter matches").await;
    ann.get("/dead-letters/list?class=expired").await.is(200).says("No dead letter matches");
    ann.get("/dead-letters/list?class=nonsense").await.is(422).says("no such class");
    ann.get("/dead-letters/list?since=never").await.is(422).says("since");
    let one = ann.get(&format!("/dead-letters/one?id={}", other.id)).await.is(200);
    one.says("not JSON").says("&#34;title&#34;: &#34;another&#34;").says("fingerprint");
    ann.get("/dead-letters/one?id=0193a5b2-7c55-7000-8000-00000000e1b4").await.is(404).says("audit log knows");
    ann.get("/dead-letters/one").await.is(422);
    ann.post("/dead-letters/refresh", &[]).await.goes_to("/dead-letters");
}

#[tokio::test]
async fn what_strangers_write_is_only_ever_text() {
    let house = House::new().await;
    let nasty = "<script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}\u{200b}\u{9b}\"'&";
    let dead = Dead { message: nasty.to_owned(), ..Dead::new(nasty) };
    let wide = Dead::new(&"W".repeat(200));
    house.ground.dead(&[dead.clone(), wide]).await;
    let console = house.console().await;
    let mut ann = Visitor::of(&console, "viewer").await;
    seen(&mut ann, "/dead-letters", "2 dead letters of").await;
    for path in ["/dead-letters", "/dead-letters/list", &format!("/dead-letters/one?id={}", dead.id)] {
        let page = ann.get(path).await.is(200);
        assert!(!page.text.chars().any(|c| c != '\n' && sluice_core::visible::is_hidden(c)), "{path}");
        page.says("\\u{202e}").lacks("<script>").lacks("<img").lacks("onerror=alert(1)>");
    }
    let searched = "/dead-letters/list?code=%22%3E%3Cscript%3E&id=%E2%80%AE";
    ann.get(searched).await.is(200).says("&#34;&#62;&#60;script&#62;").lacks("<script>");
}

#[tokio::test]
async fn without_rabbitmq_the_page_says_so() {
    let desk = Desk::new().await;
    let console = desk.pages(&[]).await;
    let mut ann = Visitor::of(&console, "viewer").await;
    seen(&mut ann, "/dead-letters", "cannot be read").await;
    ann.get("/dead-letters/one?id=abcd").await.is(503).says("cannot be read");
}
