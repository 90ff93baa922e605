//! What people still need stays, and goes whole once they do not.

use serde_json::{Value, json};
use sluice_core::post::Post;

use crate::desk::{Desk, shows};
use crate::support::{Ran, text};
use crate::{age, count, posts, prune};
use tokio::io::AsyncWriteExt as _;

/// The tables in which people's review has something of a post.
const TABLES: [&str; 7] = [
    "review_cases",
    "review_claims",
    "review_notes",
    "review_decisions",
    "second_opinions",
    "decision_outbox",
    "decision_deliveries",
];

async fn pruned(desk: &Desk, more: &[&str]) -> Value {
    prune(&desk.ground, &[&["--older-than", "400d", "--yes", "--json"], more].concat()).await.ok().object()
}

/// A held post that is old.
async fn old(desk: &Desk) -> crate::desk::Held {
    let post = Post { author: Some("bob".to_owned()), ..posts(1, 500).remove(0) };
    desk.held_of(post, "spam", 60).await
}

fn kept(done: &Value, reason: &str) -> u64 {
    done["kept"][reason].as_u64().unwrap_or_else(|| panic!("{reason} in {done}"))
}

/// Makes decisions old, and the time of appeals.
async fn decided_long_ago(desk: &Desk) {
    let back = "UPDATE review_decisions SET decided_at = decided_at - INTERVAL 450 DAY, \
                appealable_until = appealable_until - INTERVAL 450 DAY";
    desk.ground.sql(back).await;
}

async fn follow(desk: &Desk) -> Ran {
    desk.ground.sluice(&["decisions", "follow", "--once", "--delay", "0s"]).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_stays_until_people_are_done_with_it_and_then_nothing_of_it_is_left() {
    let desk = Desk::new().await;
    let held = old(&desk).await;
    age(&desk.ground, 450).await;
    desk.ground.store.add_endpoint("forum").await.expect("it can be added");
    assert_eq!(kept(&pruned(&desk, &[]).await, "open_case"), 1);
    let token = text(&desk.review(&["next", "--as", "ann", "--json"]).await.ok().object(), "claim");
    desk.review(&["note", &held.case, "--as", "ann", "hm"]).await.ok();
    desk.review(&["decide", &held.case, "reject", "--as", "ann", "--claim", &token]).await.ok();
    assert_eq!(kept(&pruned(&desk, &[]).await, "appealable"), 1);
    desk.ground.sql("UPDATE review_decisions SET appealable_until = NOW(6) - INTERVAL 1 DAY").await;
    assert_eq!(kept(&pruned(&desk, &[]).await, "decided_since"), 1);
    decided_long_ago(&desk).await;
    assert_eq!(kept(&pruned(&desk, &["--verdict", "held,approved"]).await, "other_verdict"), 1);
    assert_eq!(kept(&pruned(&desk, &[]).await, "undelivered"), 1, "it has no place in the feed");
    follow(&desk).await;
    assert_eq!(kept(&pruned(&desk, &[]).await, "undelivered"), 1, "the endpoint has no delivery of it");
    desk.ground.store.enqueue_deliveries("forum").await.expect("MySQL answers");
    assert_eq!(kept(&pruned(&desk, &[]).await, "undelivered"), 1, "the endpoint has not taken it");
    desk.ground.sql("UPDATE decision_deliveries SET delivered_at = NOW(6)").await;
    let last = desk.ground.store.last_event().await.expect("MySQL answers");
    let done = pruned(&desk, &["--verdict", "rejected"]).await;
    assert_eq!((&done["pruned"], count(&desk.ground).await), (&json!(1), 0), "{done}");
    for table in TABLES {
        let left: u64 = desk.ground.value(&format!("SELECT COUNT(*) FROM {table}")).await;
        assert_eq!(left, 0, "{table}");
    }
    assert_eq!(desk.ground.store.last_event().await.expect("MySQL answers"), last, "places are not given twice");
    let status = desk.ground.sluice(&["decisions", "endpoints", "--json"]).await.ok().object();
    assert_eq!((&status["delivered"], &status["undelivered"]), (&json!(0), &json!(0)), "{status}");
    let appealed = desk.review(&["appeal", &held.post, "--reason", "please"]).await.exits(3);
    assert!(appealed.stderr.contains(&held.post), "{appealed:?}");
    // What comes next takes the place after it.
    let next = desk.held("young", 60).await;
    desk.decided(&next.case, "approve", "ann").await;
    follow(&desk).await;
    assert!(desk.ground.store.last_event().await.expect("MySQL answers") > last);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appeal_and_a_held_post_without_a_case_wait_for_people() {
    let desk = Desk::new().await;
    let held = old(&desk).await;
    desk.store(&posts(1, 500)[0], "spam", 60).await;
    age(&desk.ground, 450).await;
    desk.decided(&held.case, "reject", "ann").await;
    desk.review(&["appeal", &held.post, "--reason", "please"]).await.ok();
    decided_long_ago(&desk).await;
    let done = pruned(&desk, &[]).await;
    assert_eq!((kept(&done, "open_case"), kept(&done, "held_without_case")), (1, 1), "{done}");
    let said = prune(&desk.ground, &["--older-than", "400d", "--plan"]).await.ok().stdout;
    assert!(said.contains("1 post kept although old: held, and without a case; `sluice review sweep`"), "{said}");
    assert_eq!(count(&desk.ground).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_asked_first() {
    let desk = Desk::new().await;
    desk.ground.record(&posts(1, 500)).await;
    age(&desk.ground, 450).await;
    for (answer, left) in [("n\n", 1_i32), ("yes\n", 0)] {
        let mut asked = desk.on_a_terminal("prune --older-than 400d --verdict approved,rejected");
        let shown = shows(&mut asked, "[y/N] ").await;
        assert!(shown.contains("posts that are approved or rejected in `sluice_"), "{shown}");
        asked.stdin.as_mut().expect("it is piped").write_all(answer.as_bytes()).await.expect("a key is pressed");
        let ran = desk.ground.finish(asked).await;
        assert_eq!((ran.code, count(&desk.ground).await), (Some(left), u64::from(left.unsigned_abs())), "{ran:?}");
    }
}
