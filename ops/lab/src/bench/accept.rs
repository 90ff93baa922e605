//! How many posts a second are taken: over HTTP one by one and in batches, and from a file.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use super::door::{Door, Kind};
use super::figures::{RABBITMQ, SLUICE, Sheet, Unit};
use super::floor;
use super::load::Load;
use super::posts::submitted;
use super::stage::Stage;

/// Connections of the clients.
pub(super) const CONNECTIONS: [usize; 2] = [32, 128];
/// Connections over which batches come.
const BATCHERS: usize = 8;
/// Posts of a batch.
const BATCH: usize = 100;
const WARM_UP: Duration = Duration::from_secs(1);
const TIME: Duration = Duration::from_secs(3);
/// Different bodies, taken in turn.
const BODIES: usize = 2000;
/// Posts of a file.
const FILE: usize = 100_000;

/// What it was measured under, in the tables.
pub(super) const BATCHES: &str = "POST /posts/batch, 100 each";
pub(super) const FROM_A_FILE: &str = "publish FILE";
pub(super) const PUBLISH: &str = "confirmed publish, window 1000";

pub(super) fn singly(connections: usize) -> String {
    format!("POST /posts, {connections} connections")
}

pub(super) async fn turn(stage: &Stage, sheet: &mut Sheet<'_>) -> anyhow::Result<()> {
    let bodies = Arc::new(stage.posts(|make| make.bodies(BODIES)));
    let kinds = [Kind::Sluice, Kind::Gin, Kind::GinUnconfirmed, Kind::GinDirect, Kind::Direct];
    for connections in CONNECTIONS {
        for kind in kinds.into_iter().filter(|kind| stage.has_go_peer() || !kind.is_in_go()) {
            let place = stage.place().await?;
            let door = Door::open(stage, &place, kind).await?;
            let load = Load::of_posts(&door.address, Arc::clone(&bodies));
            let rate_limit = load.closed(connections, stage.time(WARM_UP), stage.time(TIME)).await?;
            door.close().await?;
            place.remove().await;
            sheet.add(&singly(connections), kind.who(), Unit::PostsPerSecond, rate_limit);
        }
    }
    alone(stage, sheet).await?;
    batches(stage, sheet).await?;
    file(stage, sheet).await
}

async fn alone(stage: &Stage, sheet: &mut Sheet<'_>) -> anyhow::Result<()> {
    let place = stage.place().await?;
    let posts = stage.posts(|make| make.take(stage.count(FILE)));
    let rate_limit = floor::broker::publish(&stage.amqp_url(), &place.topology, &posts).await?;
    place.remove().await;
    sheet.add(PUBLISH, RABBITMQ, Unit::PostsPerSecond, rate_limit);
    Ok(())
}

async fn batches(stage: &Stage, sheet: &mut Sheet<'_>) -> anyhow::Result<()> {
    let place = stage.place().await?;
    let door = Door::open(stage, &place, Kind::Sluice).await?;
    let bodies = Arc::new(stage.posts(|make| make.batches(BODIES / BATCH, BATCH)));
    let content_type = "application/x-ndjson";
    let load = Load { address: door.address.clone(), path: "/posts/batch", content_type, bodies };
    let batches = load.closed(BATCHERS, stage.time(WARM_UP), stage.time(TIME)).await?;
    door.close().await?;
    place.remove().await;
    sheet.add(BATCHES, SLUICE, Unit::PostsPerSecond, batches * BATCH as f64);
    Ok(())
}

/// The whole command, its start and its end included.
async fn file(stage: &Stage, sheet: &mut Sheet<'_>) -> anyhow::Result<()> {
    let (place, count) = (stage.place().await?, stage.count(FILE));
    let path = stage.folder().join("posts.ndjson");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path)?);
    for post in stage.posts(|make| make.take(count)) {
        writeln!(file, "{}", submitted(&post))?;
    }
    file.flush()?;
    let name = path.to_str().context("the temporary folder's name is not UTF-8")?;
    let took = stage.run(&place, "sluice-producer", &["publish", name]).await?;
    std::fs::remove_file(&path)?;
    place.remove().await;
    sheet.add(FROM_A_FILE, SLUICE, Unit::PostsPerSecond, count as f64 / took.as_secs_f64());
    Ok(())
}
