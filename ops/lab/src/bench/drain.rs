//! How many posts a second the workers bring from the queue into MySQL, and what the two servers would allow.

use super::figures::{RABBITMQ, SLUICE, Sheet, Unit, mebibytes};
use super::floor;
use super::stage::Stage;

/// A consumer as one would write it: one insert, one acknowledgement.
pub(super) const SIMPLE: &str = "simple consumer";
/// The same in Go.
pub(super) const SIMPLE_GO: &str = "simple consumer in Go";
/// MySQL without anything of ours.
pub(super) const MYSQL: &str = "MySQL alone";

/// Consumers of one process, each with one post in flight.
pub(super) const CONSUMERS: [u16; 6] = [1, 2, 4, 16, 32, 64];
/// The most of them, with which the worker's memory is measured.
pub(super) const MOST: u16 = 64;
/// Worker processes of [`EACH`] consumers.
pub(super) const PROCESSES: [u16; 3] = [1, 2, 4];
const EACH: u16 = 16;
/// Posts in flight of each consumer when there is much to catch up with.
pub(super) const PREFETCH: u16 = 64;
/// Consumers then.
pub(super) const CATCHING_UP: u16 = 8;

pub(super) fn consumers(count: u16) -> String {
    if count == 1 { "1 consumer".to_owned() } else { format!("{count} consumers") }
}

pub(super) fn processes(count: u16) -> String {
    let each = consumers(EACH);
    if count == 1 { format!("1 process, {each}") } else { format!("{count} processes, {each} each") }
}

/// What it was measured under, in the tables.
pub(super) const PREFETCHING: &str = "8 consumers, prefetch 64";
pub(super) const WORKER_MEMORY: &str = "worker's memory, 64 consumers";

/// So many posts that each measurement takes a few seconds.
fn posts(stage: &Stage, consumers: u16) -> usize {
    stage.count(match consumers {
        1 => 8_000,
        2..=4 => 20_000,
        5..=16 => 30_000,
        _ => 40_000,
    })
}

pub(super) async fn turn(stage: &Stage, sheet: &mut Sheet<'_>) -> anyhow::Result<()> {
    for count in CONSUMERS {
        let what = consumers(count);
        acknowledged(stage, sheet, &what, count, 1).await?;
        let arguments = ["--concurrency", &count.to_string()];
        let memory = worked_off(stage, sheet, &what, posts(stage, count), &arguments).await?;
        if count == MOST {
            sheet.add(WORKER_MEMORY, SLUICE, Unit::Mebibytes, mebibytes(memory));
        }
        by_peers(stage, sheet, &what, count).await?;
    }
    acknowledged(stage, sheet, PREFETCHING, CATCHING_UP, PREFETCH).await?;
    let arguments = ["--concurrency", &CATCHING_UP.to_string(), "--prefetch", &PREFETCH.to_string()];
    worked_off(stage, sheet, PREFETCHING, stage.count(80_000), &arguments).await?;
    for count in PROCESSES {
        let arguments = ["--concurrency", &EACH.to_string(), "--processes", &count.to_string()];
        worked_off(stage, sheet, &processes(count), stage.count(40_000), &arguments).await?;
    }
    stored(stage, sheet).await
}

/// By RabbitMQ alone: nothing is done with a post but to acknowledge it.
async fn acknowledged(
    stage: &Stage,
    sheet: &mut Sheet<'_>,
    what: &str,
    count: u16,
    prefetch: u16,
) -> anyhow::Result<()> {
    let posts = if prefetch > 1 { stage.count(80_000) } else { posts(stage, count) };
    let place = stage.filled(posts).await?;
    let rate_limit = floor::broker::acknowledge(&stage.amqp_url(), &place, count, prefetch, posts).await?;
    place.remove().await;
    sheet.add(what, RABBITMQ, Unit::PostsPerSecond, rate_limit);
    Ok(())
}

/// By our worker; the most memory that it held, in bytes.
async fn worked_off(
    stage: &Stage,
    sheet: &mut Sheet<'_>,
    what: &str,
    posts: usize,
    arguments: &[&str],
) -> anyhow::Result<u64> {
    let place = stage.filled(posts).await?;
    let worker = stage.start(&place, "sluice-worker", &[&["run"], arguments].concat())?;
    let rate_limit = place.drained(stage.rows(), posts).await;
    let memory = worker.peak_memory();
    worker.end().await?;
    place.remove().await;
    sheet.add(what, SLUICE, Unit::PostsPerSecond, rate_limit?);
    memory
}

/// By what one would write without us.
async fn by_peers(stage: &Stage, sheet: &mut Sheet<'_>, what: &str, count: u16) -> anyhow::Result<()> {
    let posts = posts(stage, count) / 2;
    let consumers = count.to_string();
    for who in [SIMPLE].into_iter().chain(stage.has_go_peer().then_some(SIMPLE_GO)) {
        let place = stage.filled(posts).await?;
        let queue = place.topology.queue();
        let args = ["consume", "--queue", &queue, "--consumers", &consumers];
        let peer = if who == SIMPLE { stage.start_peer(&args)? } else { stage.start_go_peer(&args)? };
        let rate_limit = place.drained(stage.rows(), posts).await;
        peer.end().await?;
        place.remove().await;
        sheet.add(what, who, Unit::PostsPerSecond, rate_limit?);
    }
    Ok(())
}

/// By MySQL alone.
async fn stored(stage: &Stage, sheet: &mut Sheet<'_>) -> anyhow::Result<()> {
    for (rows, connections, posts) in
        [(1, 1, 10_000), (1, 4, 20_000), (1, 16, 30_000), (50, 1, 60_000), (50, 4, 60_000)]
    {
        stage.rows().clear().await?;
        let posts = stage.posts(|make| make.take(stage.count(posts)));
        let rate_limit = floor::database::store(&stage.database_url(), connections, rows, posts).await?;
        let what = format!("inserts of {rows}, {connections} connections");
        sheet.add(&what, MYSQL, Unit::PostsPerSecond, rate_limit);
    }
    Ok(())
}
