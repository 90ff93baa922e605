//! What a worker says of the posts that it handles.

mod support;

use std::time::{Duration, Instant};

use sluice_lab::testing::{Ground, eventually};
use support::{dead, quick_start, start, stored};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Rules that hold whoever says it.
const RULES: &str = r#"
[categories.spam]
hold = 50

[[list]]
id = "spam-lottery"
category = "spam"
weight = 60
terms = ["lottery"]

[[list]]
id = "spam-prize"
category = "spam"
weight = 10
terms = ["prize"]
"#;

/// The lines of posts and summaries.
fn lines<'a>(said: &'a str, words: &str) -> Vec<&'a str> {
    said.lines().filter(|line| line.contains(words)).collect()
}

#[tokio::test]
async fn at_light_traffic_each_post_has_a_line_with_verdict_rule_and_time_and_none_of_its_text() {
    let ground = Ground::new().await;
    let (environment, rules) = quick_start(&ground);
    std::fs::write(rules.path(), RULES).expect("the file is ours");
    let mut worker = start(&environment, &[]);
    worker.says("consuming", 1).await;
    let (mut good, held) = (ground.post("my harmless prize"), ground.post("you won the lottery"));
    good.author = Some("somebody.in.particular".to_owned());
    let bad = ground.post(&"x".repeat(256));
    ground.publish(&[good.clone(), held.clone(), bad.clone()]).await;
    stored(&ground, held.id).await;
    dead(&ground, 1).await;
    worker.says("after_ms=", 2).await;
    // The same post once more.
    ground.publish(std::slice::from_ref(&good)).await;
    worker.says("was stored already", 1).await;
    assert!(worker.stop().await.success());
    let said = worker.said();
    let line = |id: &dyn std::fmt::Display| lines(&said, &format!("post={id}"))[0].to_owned();
    assert!(line(&good.id).contains("stored") && line(&good.id).contains("verdict=approved"), "{said}");
    assert!(!line(&good.id).contains("rule="), "none that decided: {said}");
    assert!(line(&held.id).contains("verdict=held") && line(&held.id).contains("rule=\"spam-lottery\""), "{said}");
    let summary = lines(&said, "summary of the whole run");
    assert_eq!(summary.len(), 1, "{said}");
    let counts = "stored=2 approved=1 held=1 rejected=0 already_stored=1 dead_lettered=1 retried=0 released=0";
    assert!(summary[0].contains(&format!("{counts} in_flight=0")), "{said}");
    for text in ["harmless", "you won", "nothing in particular", "somebody", "xxx"] {
        assert!(!said.contains(text), "{text}: {said}");
    }
}

#[tokio::test]
async fn under_load_a_worker_says_five_lines_a_second_at_most_and_sums_up() {
    let ground = Ground::new().await;
    let (environment, _rules) = quick_start(&ground);
    let mut worker = start(&environment, &[]);
    worker.says("consuming", 1).await;
    let posts: Vec<_> = (0..1000).map(|number| ground.post(&format!("post {number}"))).collect();
    let begun = Instant::now();
    ground.publish(&posts).await;
    worker.says(": summary seconds=", 1).await;
    assert!(begun.elapsed() >= Duration::from_secs(10), "{}", worker.said());
    for post in &posts {
        stored(&ground, post.id).await;
    }
    let mut few = Vec::new();
    eventually("few posts to have lines of their own again", async || {
        // Three a second at the most.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let post = ground.post("one of a few");
        ground.publish(std::slice::from_ref(&post)).await;
        stored(&ground, post.id).await;
        few.push(format!("post={}", post.id));
        let said = worker.said();
        if few.iter().any(|post| said.contains(post)) { Ok(()) } else { Err(said) }
    })
    .await;
    assert!(worker.stop().await.success());
    let (said, number) = (worker.said(), posts.len() + few.len());
    assert!(lines(&said, "summary of the whole run")[0].contains(&format!(" stored={number} ")), "{number}: {said}");
    let times: Vec<_> = said
        .lines()
        .filter(|line| line.contains("after_ms=") || line.contains("summary"))
        .filter_map(|line| OffsetDateTime::parse(line.split(' ').next()?, &Rfc3339).ok())
        .collect();
    assert!(times.len() > 10, "{said}");
    // Stamped when they are written, a moment after they were allowed.
    let second = Duration::from_millis(950);
    assert!(times.windows(6).all(|six| six[5] - six[0] >= second), "{said}");
}

#[tokio::test]
async fn a_worker_to_which_nothing_happened_sums_up_nothing() {
    let ground = Ground::new().await;
    let (environment, _rules) = quick_start(&ground);
    let mut worker = start(&environment, &[]);
    worker.says("consuming", 1).await;
    assert!(worker.stop().await.success());
    assert!(lines(&worker.said(), "summary").is_empty(), "{}", worker.said());
}
