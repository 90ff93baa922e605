//! A worker dies: at the exact points between two steps, a hundred times each, and by a post that kills whoever takes
//! it.

use std::collections::HashSet;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use sluice_core::disposition::Class;
use sluice_core::post::Post;
use sluice_lab::testing::{Ground, eventually};

use crate::stage::{accounted, all_stored, flood, number, posts, quick_start};
use crate::support::{dead, start, stored, worker};

/// Deaths of each kind.
const DEATHS: usize = 100;
/// Workers that die at the same time, each again and again.
const RUNNERS: usize = 8;
/// The deaths are drawn from it.
const SEED: u64 = 20_261_122;

/// Starts workers that die at `point`, until there were [`DEATHS`] deaths. How many times each one passes it before is
/// drawn, up to `at_most`.
async fn die_again_and_again(ground: &Ground, point: &str, at_most: u8) {
    let left = AtomicUsize::new(DEATHS);
    let (calm, _rules) = quick_start(ground);
    let runner = async |runner: u64| {
        let mut chance = fastrand::Rng::with_seed(SEED + runner);
        while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            let mut environment = calm.clone();
            environment.push(("FAILPOINTS", format!("{point}={}*off->return", chance.u8(0..at_most))));
            // The limits are as far as they can be: many are to die, and none of them by a post's fault.
            let args = ["--concurrency", ["1", "4", "8"][chance.usize(0..3)], "--max-deliveries", "19"];
            let mut doomed = start(&environment, &args);
            assert_eq!(doomed.ended().await.signal(), Some(9), "seed {SEED}, {point}: {}", doomed.said());
        }
    };
    futures_util::future::join_all((0..RUNNERS as u64).map(runner)).await;
}

/// What a hundred deaths leave is taken up by a worker that lives.
async fn drained(ground: &Ground, posts: &[Post]) -> Vec<String> {
    let mut last = worker(ground, &["--concurrency", "32", "--max-deliveries", "19"]).await;
    eventually("the queue to be empty", async || {
        let depth = ground.depth().await;
        if depth.ready == 0 { Ok(()) } else { Err(depth) }
    })
    .await;
    assert!(last.stop().await.success());
    assert_eq!(ground.depth().await.ready, 0);
    accounted(ground, posts).await
}

/// A ground with a schema, queues and posts, of which every second one cannot be stored if `bad`.
async fn loaded(bad: bool, number: usize) -> (Ground, Vec<Post>) {
    let ground = Ground::new().await;
    ground.declare().await;
    ground.store().migrate().await.expect("the schema can be brought up");
    let too_long = "x".repeat(256);
    let posts: Vec<_> = (0..number).map(|n| ground.post(if bad && n % 2 == 0 { &too_long } else { "good" })).collect();
    flood(&ground, &posts).await;
    (ground, posts)
}

#[tokio::test]
async fn a_hundred_deaths_between_commit_and_acknowledgement_lose_nothing_and_double_nothing() {
    let (ground, posts) = loaded(false, 1500).await;
    die_again_and_again(&ground, "committed", 8).await;
    let again = number(&ground, "SELECT COUNT(*) FROM posts").await;
    let dead_letters = drained(&ground, &posts).await;
    println!(
        "{DEATHS} deaths at committed: {again} rows by then, {} rows at the end, dead letters: {dead_letters:?}",
        posts.len()
    );
    assert_eq!(dead_letters, [] as [String; 0], "healthy posts are dead-lettered");
}

#[tokio::test]
async fn a_hundred_deaths_between_a_dead_letters_confirm_and_its_acknowledgement_lose_nothing_and_double_no_row() {
    let (ground, posts) = loaded(true, 500).await;
    die_again_and_again(&ground, "dead_letter_confirmed", 3).await;
    let dead_letters = drained(&ground, &posts).await;
    let ids: HashSet<_> = dead_letters.iter().collect();
    println!("{DEATHS} deaths at dead_letter_confirmed: {} dead letters of {} posts", dead_letters.len(), ids.len());
    assert_eq!(ids.len(), posts.len() / 2, "each bad post is dead, and no good one");
    assert!(dead_letters.len() > ids.len(), "no death fell between the confirm and the acknowledgement");
}

#[tokio::test]
async fn a_hundred_deaths_upon_delivery_lose_nothing_and_double_nothing() {
    let (ground, posts) = loaded(false, 1500).await;
    die_again_and_again(&ground, "delivered", 8).await;
    let dead_letters = drained(&ground, &posts).await;
    println!("{DEATHS} deaths at delivered: dead letters: {dead_letters:?}");
    assert_eq!(dead_letters, [] as [String; 0], "healthy posts are dead-lettered");
}

/// Two processes that are started again as they die, a post that kills whoever reviews it, and forty that do not.
async fn poisoned(args: &[&str]) {
    let ground = Ground::new().await;
    ground.declare().await;
    let (mut all, poison) = (posts(&ground, 40, "neighbour"), ground.post("poison"));
    flood(&ground, &[&all[..5], std::slice::from_ref(&poison), &all[5..]].concat()).await;
    let mut environment = ground.environment();
    environment.push(("FAILPOINTS", "review.poison=return".to_owned()));
    let mut watcher = start(&environment, &[&["--processes", "2"], args].concat());
    dead(&ground, 1).await;
    all_stored(&ground, &all).await;
    let dead_letter = ground.dead_letters().await.remove(0);
    assert_eq!((dead_letter.id, dead_letter.class, dead_letter.attempts), (poison.id.to_string(), Class::CrashLoop, 0));
    // Whoever is left goes on.
    let after = ground.post("after");
    flood(&ground, std::slice::from_ref(&after)).await;
    stored(&ground, after.id).await;
    assert!(watcher.stop().await.success());
    all.extend([poison, after]);
    assert_eq!(accounted(&ground, &all).await.len(), 1, "{}", watcher.said());
}

#[tokio::test]
async fn a_post_that_kills_whoever_reviews_it_is_dead_lettered_and_its_neighbours_are_stored() {
    poisoned(&["--concurrency", "8", "--max-deliveries", "4"]).await;
}

#[tokio::test]
async fn a_post_that_kills_takes_no_neighbour_of_the_same_hand_with_it() {
    poisoned(&["--concurrency", "4", "--prefetch", "8", "--max-deliveries", "4"]).await;
}
