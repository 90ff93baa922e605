//! A post that is held for its near copies.

use std::time::Duration;

use sluice_review::RuleSet;
use sluice_review::copies::{Near, held};

use crate::ground::Desk;
use crate::pages::visitor::Visitor;

#[tokio::test]
async fn near_copies_stand_beside_the_text_and_not_among_what_was_found_in_it() {
    let desk = Desk::new().await;
    let (title, content) = ("gold", "We buy gold and old watches. Viagra too.");
    let near = Near { posts: 12, authors: 11, since: Duration::from_secs(30) };
    let review = held(RuleSet::builtin().review_text(title, content), &near, 10);
    let case = desk.held_for(review, "ann", title, content).await;
    let console = desk.reviewing().await;
    let mut ann = Visitor::of(&console, "moderator").await;
    let page = ann.get(&format!("/review/cases/{}", case.case)).await.is(200);
    let page = page.says("Near copies").says("nearly the same was said in 12 posts by 11 authors within 30 seconds");
    page.says("repetition").says("What the rules found").lacks("near_copies");
}
