//! Messages that are larger than any post, and posts as long as they may be: what they cost their neighbours.

mod support;

use std::time::{Duration, Instant};

use sluice_core::disposition::Class;
use sluice_core::verdict::Verdict;
use sluice_lab::testing::{Ground, Program};
use support::{dead, start, stored, worker};

/// Larger than what any front door takes, and than what a worker reads.
const LARGE_BYTES: usize = 8 << 20;
/// The most memory that a worker may have had in use, in KiB: the bodies themselves, one copy, and its own needs.
const MEMORY_MAX_KIB: u64 = 160 * 1024;

/// The most time of a processor that a worker may need for it.
const WORK_MAX: Duration = Duration::from_secs(10);

/// The time of a processor that a program has had.
fn processor_time(program: &Program) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", program.pid())).expect("it is running");
    let (_, fields) = stat.rsplit_once(") ").expect("fields behind the name");
    let ticks = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum::<u64>();
    // A hundredth of a second each, on every Linux.
    Duration::from_millis(10 * ticks)
}

/// The most memory that a program has ever had in use, in KiB.
fn peak(program: &Program) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.pid())).expect("it is running");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[tokio::test]
async fn messages_larger_than_any_post_are_dead_lettered_unread_and_their_neighbours_are_stored_at_once() {
    let ground = Ground::new().await;
    ground.declare().await;
    ground.store().migrate().await.expect("the schema can be brought up");
    let neighbours: Vec<_> = (0..40).map(|number| ground.post(&format!("neighbour {number}"))).collect();
    let large = format!("{{\"title\":\"t\",\"content\":\"{}\"}}", "\u{FDFA} ".repeat(LARGE_BYTES / 4)).into_bytes();
    for (number, posts) in neighbours.chunks(5).enumerate() {
        ground.publish_raw(&[(Some(format!("large-{number}")), large.clone())]).await;
        ground.publish(posts).await;
    }
    let worker = start(&ground.environment(), &[]);
    worker.says("consuming", 1).await;
    let begun = Instant::now();
    for neighbour in &neighbours {
        stored(&ground, neighbour.id).await;
    }
    // By its own processor time: how long that takes is up to whatever else the machine does. Most of it is what a
    // program that is not optimised needs to take in 64 MiB; reading and reviewing them would take minutes.
    let (took, worked) = (begun.elapsed(), processor_time(&worker));
    println!("stored after {took:?}, {worked:?} of a processor, peak {} KiB", peak(&worker));
    assert!(worked < WORK_MAX, "{worked:?} of a processor in {took:?}");
    dead(&ground, 8).await;
    assert!(peak(&worker) < MEMORY_MAX_KIB, "{} KiB", peak(&worker));
    assert!(!worker.said().contains("paused"), "{}", worker.said());
    for dead_letter in ground.dead_letters().await {
        assert_eq!(
            (dead_letter.class, dead_letter.code.as_str(), dead_letter.attempts),
            (Class::Permanent, "too_large", 0)
        );
    }
}

#[tokio::test]
async fn a_text_longer_than_any_post_is_stored_for_a_person_to_look_at() {
    let ground = Ground::new().await;
    let _worker = worker(&ground, &[]).await;
    let mut post = ground.post("long");
    post.content = "words ".repeat(100_000);
    ground.publish(std::slice::from_ref(&post)).await;
    let row = stored(&ground, post.id).await;
    assert_eq!(row.verdict, Verdict::Held.as_str());
    assert!(row.reasons.contains("reviewed_in_part"), "{}", row.reasons);
}
