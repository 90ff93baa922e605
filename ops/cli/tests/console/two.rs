//! Two consoles on one database, one of which is killed in the middle.

use std::time::Duration;

use sluice_lab::testing::eventually;
use sluice_mysql::review::{Ruling, StoredCase};

use super::forum::{Does, Forum};
use super::ground::Desk;
use super::sender::{until_agreed, until_delivered};

#[tokio::test(flavor = "multi_thread")]
async fn two_consoles_share_the_work_and_what_a_killed_one_had_is_sent_by_the_other() {
    let desk = Desk::new().await;
    let forum = Forum::new(|_| Does::TakeSlowly(Duration::from_secs(1))).await;
    let endpoints = desk.endpoints(&forum.url());
    let args = ["--endpoints", endpoints.as_str()];
    let mut one = desk.console(&args).await;
    one.program.says("the endpoint is new", 1).await;
    let mut cases: Vec<StoredCase> = Vec::new();
    for _ in 0..40 {
        cases.push(desk.held().await);
    }
    for case in &cases {
        desk.decide(case.case, Ruling::Approve).await;
    }
    eventually("some of it to be delivered", async || {
        let status = desk.store.endpoint_statuses().await.expect("the database answers").remove(0);
        if status.delivered >= 5 { Ok(()) } else { Err(status) }
    })
    .await;
    // Both run, and the first one has as many under way as it may. It must not be through with all of them before the
    // other one runs, however long that takes to start; nobody waits for an answer for longer than 10 s.
    forum.plan(|_| Does::TakeSlowly(Duration::from_secs(5)));
    let other = desk.console(&args).await;
    one.program.kill().await;
    forum.plan(|_| Does::Take);
    until_agreed(&desk, &forum, &cases).await;
    until_delivered(&desk, 80).await;
    // What the killed one had sent without noting it came once more, and nothing else did.
    let seen = forum.seen().len();
    assert!((80..=80 + 16).contains(&seen), "{seen}");
    for case in &cases {
        assert!(forum.revisions(&case.post.to_string()).is_sorted());
    }
    let metrics = other.bare(reqwest::Method::GET, "/metrics").send().await.expect("it answers");
    let metrics = metrics.text().await.expect("a text");
    let counted =
        metrics.lines().find_map(|line| line.strip_prefix("sluice_decisions_delivered_total{endpoint=\"forum\"} "));
    let by_other: usize = counted.expect("it has sent some").parse().expect("a number");
    assert!((1..80).contains(&by_other), "both have sent: {by_other}");
}
