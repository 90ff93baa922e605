//! A case is opened beside the recorder: by whoever stores the post, by whoever it is delivered to again, by a sweep.

use std::os::unix::process::ExitStatusExt as _;

use futures_util::future::join_all;
use sluice_core::verdict::Verdict;
use sluice_lab::testing::Clock;
use sluice_mysql::review::HeldPost;

use crate::stage::Stage;
use crate::support::{stored, waiting};

/// Deaths between a row and its case.
const DEATHS: usize = 40;
/// Workers that die at the same time, each again and again.
const RUNNERS: usize = 4;
/// The deaths are drawn from it.
const SEED: u64 = 20_261_129;

#[tokio::test]
async fn each_held_post_gets_a_case_and_no_other_post_does() {
    let stage = Stage::new().await;
    let mut posts = stage.held(20);
    posts.extend((0..20).map(|_| stage.ground.post("pear")));
    stage.ground.publish(&posts).await;
    stage.drained(stage.worker(&[]).await).await;
    assert_eq!(stage.accounted(&posts).await, 20);
}

#[tokio::test]
async fn a_post_is_acknowledged_only_after_its_case_is_open() {
    let stage = Stage::new().await;
    let posts = stage.held(1);
    stage.ground.publish(&posts).await;
    let mut doomed = stage.start("case=return", &["--concurrency", "1"]);
    assert_eq!(doomed.ended().await.signal(), Some(9), "{}", doomed.said());
    // There is a row and no case, and the broker has the post again.
    stored(&stage.ground, posts[0].id).await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM review_cases").await, 0);
    waiting(&stage.ground, 1).await;
    stage.drained(stage.worker(&[]).await).await;
    assert_eq!(stage.accounted(&posts).await, 1);
}

#[tokio::test]
async fn forty_deaths_between_rows_and_cases_and_after_cases_leave_one_case_each() {
    let stage = Stage::new().await;
    let posts = stage.held(600);
    stage.ground.publish(&posts).await;
    let runner = async |runner: usize| {
        let mut chance = fastrand::Rng::with_seed(SEED + runner as u64);
        for _ in 0..DEATHS / RUNNERS {
            let point = ["case", "committed"][chance.usize(0..2)];
            let failpoint = format!("{point}={}*off->return", chance.u8(0..6));
            let args = ["--concurrency", ["1", "4", "8"][chance.usize(0..3)], "--max-deliveries", "19"];
            let mut doomed = stage.start(&failpoint, &args);
            assert_eq!(doomed.ended().await.signal(), Some(9), "seed {SEED}, {failpoint}: {}", doomed.said());
        }
    };
    join_all((0..RUNNERS).map(runner)).await;
    stage.drained(stage.worker(&["--concurrency", "32", "--max-deliveries", "19"]).await).await;
    assert_eq!(stage.accounted(&posts).await, 600);
    assert_eq!(stage.ground.dead().await.ready, 0, "healthy posts are dead-lettered");
}

#[tokio::test]
async fn what_an_old_worker_stored_gets_its_case_by_a_redelivery_or_by_a_sweep() {
    let stage = Stage::new().await;
    let posts = stage.held(2);
    let shown = stage.ground.post("pear");
    for post in &posts {
        stage.stored_by_an_old_worker(post, Verdict::Held).await;
    }
    stage.stored_by_an_old_worker(&shown, Verdict::Approved).await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM review_cases").await, 0);
    // The old worker died before it acknowledged one of them.
    stage.ground.publish(&posts[..1]).await;
    stage.drained(stage.worker(&[]).await).await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM review_cases").await, 1);
    let store = stage.ground.store();
    let (_, without) = store.sweep_held(None, 100).await.expect("the database answers");
    assert_eq!(without.iter().map(|post| post.post).collect::<Vec<_>>(), [posts[1].id]);
    let case = |post: HeldPost| {
        let fingerprint = sluice_review::fingerprint(&post.title, &post.content);
        post.case(fingerprint)
    };
    store.open_cases(&without.into_iter().map(case).collect::<Vec<_>>()).await.expect("cases can be opened");
    assert_eq!(stage.accounted(&[&posts[..], &[shown]].concat()).await, 2);
}

#[tokio::test]
async fn two_workers_that_have_the_same_posts_at_once_open_one_case_each() {
    let stage = Stage::new().await;
    let posts = stage.held(200);
    for post in &posts[..100] {
        stage.stored_by_an_old_worker(post, Verdict::Held).await;
    }
    // Each twice, next to each other, so that both workers have them at the same time.
    let twice: Vec<_> = posts.iter().flat_map(|post| [post.clone(), post.clone()]).collect();
    stage.ground.publish(&twice).await;
    let workers = stage.start("", &["--processes", "2", "--concurrency", "32"]);
    workers.says("consuming", 2).await;
    stage.drained(workers).await;
    assert_eq!(stage.accounted(&posts).await, 200);
    assert_eq!(stage.ground.dead().await.ready, 0);
    let tried = stage.number("SELECT COUNT(*) FROM posts WHERE attempts > 1").await;
    assert_eq!(tried, 0, "no post failed by what another worker did");
}

#[tokio::test]
async fn a_case_is_opened_by_the_databases_clock_whatever_the_workers_says() {
    let stage = Stage::new().await;
    let posts = stage.held(3);
    stage.ground.publish(&posts).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let clock = Clock::new(folder.path());
    clock.set(5 * 3600);
    stage.drained(stage.worker_by(&clock).await).await;
    assert_eq!(stage.accounted(&posts).await, 3);
    let wrong = "SELECT COUNT(*) FROM posts WHERE reviewed_at > UTC_TIMESTAMP() + INTERVAL 4 HOUR";
    assert_eq!(stage.number(wrong).await, 3, "the worker's clock is ahead");
    let off = "SELECT COUNT(*) FROM review_cases c JOIN decision_outbox o ON o.decision = c.id \
               WHERE ABS(TIMESTAMPDIFF(SECOND, c.opened_at, UTC_TIMESTAMP())) > 600 \
               OR ABS(TIMESTAMPDIFF(SECOND, o.at, UTC_TIMESTAMP())) > 600";
    assert_eq!(stage.number(off).await, 0, "a case or its event is not of the database's time");
}
