//! Whether a long backlog makes the workers slower, and how much memory the programs hold.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;

use super::door::{Door, Kind};
use super::figures::{RABBITMQ, SLUICE, Sheet, Unit, mebibytes};
use super::floor;
use super::load::Load;
use super::stage::Stage;

/// A short and a long backlog, in posts.
const SHORT: usize = 10_000;
const LONG: usize = 1_000_000;
/// Consumers of the worker.
const CONSUMERS: u16 = 16;
/// How long the long backlog is worked on.
const TIME: Duration = Duration::from_secs(20);
/// Of the long backlog, as many are only acknowledged: about as many as a worker stores in that time.
const ACKNOWLEDGED: usize = 150_000;
/// Clients that hold a connection to the HTTP API.
const CLIENTS: usize = 1000;

/// What it was measured under, in the tables.
pub(super) const BACKLOG_SHORT: &str = "drain of a backlog of 10,000";
pub(super) const BACKLOG_LONG: &str = "drain of a backlog of 1,000,000";
pub(super) const WORKER_EARLY: &str = "worker's memory, short backlog";
pub(super) const WORKER_LATE: &str = "worker's memory, long backlog";
pub(super) const PRODUCER: &str = "producer's memory, 1000 clients";

pub(super) async fn turn(stage: &Stage, sheet: &mut Sheet<'_>) -> anyhow::Result<()> {
    let consumers = CONSUMERS.to_string();
    let args = ["run", "--concurrency", consumers.as_str()];
    let place = stage.filled(SHORT).await?;
    let worker = stage.start(&place, "sluice-worker", &args)?;
    let rate_limit = place.drained(stage.rows(), SHORT).await?;
    sheet.add(BACKLOG_SHORT, SLUICE, Unit::PostsPerSecond, rate_limit);
    sheet.add(WORKER_EARLY, SLUICE, Unit::Mebibytes, mebibytes(worker.peak_memory()?));
    worker.end().await?;
    place.remove().await;
    acknowledged(stage, sheet, BACKLOG_SHORT, (SHORT, SHORT)).await?;

    let long = stage.count(LONG);
    let place = stage.filled(long).await?;
    let mut worker = stage.start(&place, "sluice-worker", &args)?;
    tokio::time::sleep(stage.time(TIME)).await;
    worker.check()?;
    let memory = worker.peak_memory()?;
    worker.end().await?;
    sheet.add(BACKLOG_LONG, SLUICE, Unit::PostsPerSecond, stage.rows().rate_limit().await?);
    sheet.add(WORKER_LATE, SLUICE, Unit::Mebibytes, mebibytes(memory));
    place.remove().await;
    acknowledged(stage, sheet, BACKLOG_LONG, (long, stage.count(ACKNOWLEDGED))).await?;

    let place = stage.place().await?;
    let door = Door::open(stage, &place, Kind::Sluice).await?;
    let load = Load::of_posts(&door.address, Arc::new(stage.posts(|make| make.bodies(2000))));
    let rate_limit = load.closed(CLIENTS, Duration::ZERO, stage.time(Duration::from_secs(4))).await?;
    ensure!(rate_limit > 0.0, "no client was answered");
    sheet.add(PRODUCER, SLUICE, Unit::Mebibytes, mebibytes(door.program.peak_memory()?));
    door.close().await?;
    place.remove().await;
    Ok(())
}

/// What RabbitMQ alone loses by a backlog: so many posts wait, and so many of them are only acknowledged.
async fn acknowledged(
    stage: &Stage,
    sheet: &mut Sheet<'_>,
    what: &str,
    (waiting, posts): (usize, usize),
) -> anyhow::Result<()> {
    let place = stage.filled(waiting).await?;
    let rate = floor::broker::acknowledge(&stage.amqp_url(), &place, CONSUMERS, 1, posts).await?;
    place.remove().await;
    sheet.add(what, RABBITMQ, Unit::PostsPerSecond, rate);
    Ok(())
}
