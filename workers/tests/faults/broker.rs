//! RabbitMQ dies, hangs, runs short of memory, or takes its queue away: workers find back by themselves.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use sluice_lab::devstack::{Stack, StackOptions};
use sluice_lab::testing::{Ground, Program, eventually, in_time};

use crate::stage::{Stage, accounted, all_stored, flood, posts, queue};
use crate::support::{stored, with_rabbitmq_behind_a_proxy, worker};

/// From a broker that answers again until its posts are stored.
const RESUMED: Duration = Duration::from_secs(10);
/// A cancelled consumer is noticed and comes back within.
const NOTICED: Duration = Duration::from_secs(10);

/// A broker that has just come back has these posts, and the workers find them.
async fn found_again(
    ground: &Ground,
    worker: &Program,
    sessions: usize,
    fault: &str,
    load: &[sluice_core::post::Post],
) {
    let begun = Instant::now();
    worker.says("consuming", sessions).await;
    let consuming = begun.elapsed();
    all_stored(ground, load).await;
    println!("{fault}: consuming again after {consuming:.2?}, all stored after {:.2?}", begun.elapsed());
    in_time(format!("{fault}: all stored"), begun.elapsed(), RESUMED);
    queue(ground, 0, 8).await;
}

#[tokio::test]
async fn a_broker_that_dies_or_hangs_is_found_again_and_nothing_is_lost() {
    let Stage { ground, stack } = Stage::new(StackOptions::default()).await;
    let rabbit = stack.rabbitmq();
    let worker = worker(&ground, &["--max-deliveries", "19"]).await;
    // For about a second RabbitMQ 3.10 knows a new quorum queue in memory only.
    eventually("the queue to be on disk", async || {
        let known = is_in_a_file(&stack.dir().join("rabbitmq/data"), "names.dets", &ground.topology().queue());
        if known { Ok(()) } else { Err("not yet") }
    })
    .await;
    let mut load = posts(&ground, 200, "killed");
    flood(&ground, &load).await;
    rabbit.kill().await.expect("it is ours to kill");
    worker.says("the session with RabbitMQ ended", 1).await;
    rabbit.start().await.expect("it comes back");
    found_again(&ground, &worker, 2, "killed", &load).await;

    load.extend(posts(&ground, 200, "restarted"));
    flood(&ground, &load[200..]).await;
    rabbit.stop().await.expect("it ends");
    rabbit.start().await.expect("it comes back");
    found_again(&ground, &worker, 3, "restarted", &load).await;

    load.extend(posts(&ground, 200, "frozen"));
    flood(&ground, &load[400..]).await;
    rabbit.freeze().expect("it runs");
    let frozen = Instant::now();
    worker.says("the session with RabbitMQ ended", 3).await;
    println!("frozen: noticed after {:.2?}", frozen.elapsed());
    tokio::time::sleep(Duration::from_secs(30).saturating_sub(frozen.elapsed())).await;
    rabbit.thaw().expect("it runs");
    found_again(&ground, &worker, 4, "frozen for 30 s", &load).await;
    assert_eq!(accounted(&ground, &load).await, [] as [String; 0], "healthy posts are dead-lettered");
}

/// Whether a file of this name, anywhere below `dir`, holds `words`.
fn is_in_a_file(dir: &Path, name: &str, words: &str) -> bool {
    std::fs::read_dir(dir).into_iter().flatten().flatten().any(|entry| {
        let path = entry.path();
        let holds = |bytes: Vec<u8>| bytes.windows(words.len()).any(|window| window == words.as_bytes());
        is_in_a_file(&path, name, words) || path.ends_with(name) && std::fs::read(&path).is_ok_and(holds)
    })
}

async fn alarm(stack: &Stack, on: bool) {
    let watermark = if on { "0.000001" } else { "0.4" };
    stack.rabbitmqctl(&["set_vm_memory_high_watermark", watermark]).await.expect("the broker obeys");
}

#[tokio::test]
async fn while_the_broker_is_short_of_memory_posts_are_stored_and_dead_letters_wait() {
    let Stage { ground, stack } = Stage::new(StackOptions::default()).await;
    ground.declare().await;
    let (good, bad) = (posts(&ground, 200, "good"), posts(&ground, 3, &"x".repeat(256)));
    flood(&ground, &[&good[..100], &bad, &good[100..]].concat()).await;
    alarm(&stack, true).await;
    let mut worker = worker(&ground, &[]).await;
    all_stored(&ground, &good).await;
    // All but what is in flight is acknowledged: an alarm stops publishers only.
    queue(&ground, 0, 8).await;
    worker.says("the dead letter could not be published", 3).await;
    assert_eq!(ground.dead().await.ready, 0);
    alarm(&stack, false).await;
    eventually("each bad post to be dead", async || {
        let ready = ground.dead().await.ready;
        if ready >= 3 { Ok(()) } else { Err(ready) }
    })
    .await;
    assert!(worker.stop().await.success());
    assert_eq!(ground.depth().await.ready, 0, "all is acknowledged");
    let dead_letters = accounted(&ground, &[good, bad.clone()].concat()).await;
    println!("{} dead letters of {} bad posts", dead_letters.len(), bad.len());
    assert_eq!(dead_letters.into_iter().collect::<HashSet<_>>().len(), bad.len());
}

#[tokio::test]
async fn a_queue_that_is_deleted_under_its_consumers_is_made_again_within_ten_seconds() {
    let ground = Ground::new().await;
    let worker = worker(&ground, &[]).await;
    for nth in 1..=3 {
        let connection = ground.connect().await;
        let channel = connection.create_channel().await.expect("a channel");
        let begun = Instant::now();
        channel.queue_delete(ground.topology().queue().into(), Default::default()).await.expect("it is there");
        worker.says("the session with RabbitMQ ended", nth).await;
        worker.says("consuming", nth + 1).await;
        let post = ground.post("after the deletion");
        flood(&ground, std::slice::from_ref(&post)).await;
        stored(&ground, post.id).await;
        println!("deleted: a post is stored after {:.2?}", begun.elapsed());
        in_time("a post is stored", begun.elapsed(), NOTICED);
    }
}

#[tokio::test]
async fn a_connection_that_is_only_half_there_is_noticed_by_its_silence() {
    let ground = Ground::new().await;
    let (worker, broker) = with_rabbitmq_behind_a_proxy(&ground, &[]).await;
    broker.freeze();
    let begun = Instant::now();
    let load = posts(&ground, 20, "silence");
    flood(&ground, &load).await;
    worker.says("the session with RabbitMQ ended", 1).await;
    println!("half-open: noticed after {:.2?}", begun.elapsed());
    in_time("noticed", begun.elapsed(), Duration::from_secs(22));
    broker.heal();
    found_again(&ground, &worker, 2, "half-open", &load).await;
    assert_eq!(accounted(&ground, &load).await, [] as [String; 0]);
}
