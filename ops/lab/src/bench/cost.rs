//! What a post costs its user: processor time, user and system, of the program, of RabbitMQ and of the database server.
//!
//! Posts a second say how fast it is with all processors of one machine; this says how many processors a number of posts
//! a second needs.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use super::accept::singly;
use super::door::{Door, Kind};
use super::drain::{CATCHING_UP, MOST, PREFETCH, PREFETCHING, SIMPLE, SIMPLE_GO, consumers};
use super::figures::{SLUICE, Sheet, Unit};
use super::load::Load;
use super::place::Place;
use super::processor;
use super::stage::Stage;
use crate::program::Program;

/// Whose processor time it is, in the order of [`Used`]. Their sum is the fourth row.
const SHARES: [&str; 3] = ["program", "RabbitMQ", "database"];
/// Consumers of the peers: with more, neither of them gets faster.
const PEERS: u16 = 16;
/// Connections of the clients.
const CONNECTIONS: usize = 32;
const WARM_UP: Duration = Duration::from_secs(1);
/// How long a front door is looked at; a clock tick is 10 ms.
const TIME: Duration = Duration::from_secs(5);
/// Different bodies, taken in turn.
const BODIES: usize = 2000;

/// Time used so far by each of [`SHARES`].
type Used = [Duration; 3];

pub(super) async fn turn(stage: &Stage, sheet: &mut Sheet<'_>) -> anyhow::Result<()> {
    worker(stage, sheet, &consumers(MOST), 40_000, &["--concurrency", &MOST.to_string()]).await?;
    let catching_up = ["--concurrency", &CATCHING_UP.to_string(), "--prefetch", &PREFETCH.to_string()];
    worker(stage, sheet, PREFETCHING, 80_000, &catching_up).await?;
    for who in [SIMPLE].into_iter().chain(stage.has_go_peer().then_some(SIMPLE_GO)) {
        peer(stage, sheet, who, 15_000).await?;
    }
    let kinds = [Kind::Sluice, Kind::Gin, Kind::GinDirect];
    for kind in kinds.into_iter().filter(|kind| stage.has_go_peer() || !kind.is_in_go()) {
        door(stage, sheet, kind).await?;
    }
    Ok(())
}

/// Our worker, with these arguments.
async fn worker(
    stage: &Stage,
    sheet: &mut Sheet<'_>,
    what: &str,
    posts: usize,
    arguments: &[&str],
) -> anyhow::Result<()> {
    let args = [&["run"], arguments].concat();
    drained(stage, sheet, (what, SLUICE), posts, |place| stage.start(place, "sluice-worker", &args)).await
}

/// One of the simple consumers.
async fn peer(stage: &Stage, sheet: &mut Sheet<'_>, who: &'static str, posts: usize) -> anyhow::Result<()> {
    let count = PEERS.to_string();
    let start = |place: &Place| {
        let queue = place.topology.queue();
        let args = ["consume", "--queue", &queue, "--consumers", &count];
        if who == SIMPLE { stage.start_peer(&args) } else { stage.start_go_peer(&args) }
    };
    drained(stage, sheet, (&consumers(PEERS), who), posts, start).await
}

/// From the moment before the program starts to the moment when all posts are stored.
async fn drained(
    stage: &Stage,
    sheet: &mut Sheet<'_>,
    (what, who): (&str, &'static str),
    posts: usize,
    start: impl FnOnce(&Place) -> anyhow::Result<Program>,
) -> anyhow::Result<()> {
    let posts = stage.count(posts);
    let place = stage.filled(posts).await?;
    let before = used(stage, None)?;
    let program = start(&place)?;
    place.emptied(stage.rows(), posts).await?;
    let after = used(stage, Some(&program))?;
    program.end().await?;
    place.remove().await;
    add(sheet, what, who, posts as f64, (before, after));
    Ok(())
}

/// While a front door answers as fast as it can.
async fn door(stage: &Stage, sheet: &mut Sheet<'_>, kind: Kind) -> anyhow::Result<()> {
    let place = stage.place().await?;
    let door = Door::open(stage, &place, kind).await?;
    let load = Load::of_posts(&door.address, Arc::new(stage.posts(|make| make.bodies(BODIES))));
    let look = || used(stage, Some(&door.program));
    let watched = load.watched(CONNECTIONS, stage.time(WARM_UP), stage.time(TIME), look).await?;
    door.close().await?;
    place.remove().await;
    anyhow::ensure!(watched.answers > 0, "no client of {} was answered", kind.who());
    add(sheet, &singly(CONNECTIONS), kind.who(), watched.answers as f64, watched.seen);
    Ok(())
}

/// What was used so far; by a program that has not been started, nothing.
fn used(stage: &Stage, program: Option<&Program>) -> anyhow::Result<Used> {
    let [rabbitmq, database] = stage.server_pids()?;
    let program = match program {
        Some(program) => processor::used(program.pid().context("the measured program has ended by itself")?)?,
        None => Duration::ZERO,
    };
    Ok([program, processor::used(rabbitmq)?, processor::used(database)?])
}

/// A row for each share, and one for their sum.
fn add(sheet: &mut Sheet<'_>, what: &str, who: &'static str, posts: f64, (before, after): (Used, Used)) {
    let mut all = 0.0;
    for ((share, before), after) in SHARES.into_iter().zip(before).zip(after) {
        let cost = after.saturating_sub(before).as_secs_f64() * 1e6 / posts;
        all += cost;
        sheet.add(&format!("{what}: {share}"), who, Unit::MicrosecondsPerPost, cost);
    }
    sheet.add(&format!("{what}: all"), who, Unit::MicrosecondsPerPost, all);
}
