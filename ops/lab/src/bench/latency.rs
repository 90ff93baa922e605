//! How long a post takes: until its sender is answered, and until its row can be read. At light traffic, where a queue
//! can only make it longer, and at more and more, where inserting directly begins to stall.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hyper::body::Bytes;
use serde::Deserialize;
use sluice_core::post::PostId;
use tokio::time::Instant;

use super::door::{Door, Kind};
use super::figures::SLUICE;
use super::figures::{Sheet, Unit, percentile};
use super::load::{Client, Load, until};
use super::rows::is_there;
use super::stage::Stage;

/// Posts a second at light traffic.
const LIGHT: f64 = 40.0;
/// How long light traffic is looked at.
const LIGHT_TIME: Duration = Duration::from_secs(10);
/// Posts a second that are offered one after the other.
pub(super) const OFFERED: [u32; 10] = [100, 500, 1000, 2000, 4000, 6000, 8000, 10_000, 12_000, 15_000];
/// How long each is.
const TIME: Duration = Duration::from_secs(4);
/// Clients that share an offered load.
const CLIENTS: usize = 128;
/// A door whose answers take so long has fallen behind: more would only take longer.
const BEHIND: f64 = 500.0;
/// How long a row is looked for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What it was measured under, in the tables.
pub(super) const LIGHT_ANSWER_50: &str = "40 posts/s: answer, p50";
pub(super) const LIGHT_ANSWER_99: &str = "40 posts/s: answer, p99";
pub(super) const LIGHT_ROW_50: &str = "40 posts/s: row readable, p50";
pub(super) const LIGHT_ROW_99: &str = "40 posts/s: row readable, p99";

pub(super) fn answer(offered: u32, percent: u32) -> String {
    format!("{offered} posts/s: answer, p{percent}")
}

pub(super) fn row(offered: u32) -> String {
    format!("{offered} posts/s: to its row, p50")
}

pub(super) async fn turn(stage: &Stage, sheet: &mut Sheet<'_>) -> anyhow::Result<()> {
    for kind in [Kind::Sluice, Kind::Direct] {
        light(stage, sheet, kind).await?;
    }
    // Side by side at each load, so that both meet the machine in the same mood.
    let mut standing = vec![Kind::Sluice, Kind::Direct];
    for offered in OFFERED {
        let mut holding_out = Vec::new();
        for kind in standing {
            if heavy(stage, sheet, kind, offered).await? {
                holding_out.push(kind);
            }
        }
        standing = holding_out;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Answer {
    id: PostId,
}

/// One post at a time, its row looked for as soon as it is answered.
async fn light(stage: &Stage, sheet: &mut Sheet<'_>, kind: Kind) -> anyhow::Result<()> {
    let place = stage.place().await?;
    let door = Door::open(stage, &place, kind).await?;
    let worker = (kind == Kind::Sluice).then(|| stage.start(&place, "sluice-worker", &["run"])).transpose()?;
    let count = (LIGHT * stage.time(LIGHT_TIME).as_secs_f64()) as usize + WARM_UP;
    let bodies = stage.posts(|make| make.bodies(count));
    let (mut client, mut database) = (Client::connect(&door.address).await?, stage.rows().connection().await?);
    let (mut answers, mut rows, mut due) = (Vec::new(), Vec::new(), Instant::now());
    for body in bodies {
        due += Duration::from_secs_f64(1.0 / LIGHT);
        let sent = until(due.max(Instant::now())).await;
        let id = submit(&mut client, body).await?;
        answers.push(sent.elapsed().as_secs_f64() * 1e3);
        while !is_there(&mut database, id).await? {
            anyhow::ensure!(sent.elapsed() < PATIENCE, "post {id} was accepted and has no row after {PATIENCE:?}");
        }
        rows.push(sent.elapsed().as_secs_f64() * 1e3);
    }
    drop(database);
    if let Some(worker) = worker {
        worker.end().await?;
    }
    door.close().await?;
    place.remove().await;
    let (answers, rows) = (&answers[WARM_UP..], &rows[WARM_UP..]);
    for (what, percent, values) in [
        (LIGHT_ANSWER_50, 50.0, answers),
        (LIGHT_ANSWER_99, 99.0, answers),
        (LIGHT_ROW_50, 50.0, rows),
        (LIGHT_ROW_99, 99.0, rows),
    ] {
        sheet.add(what, kind.who(), Unit::Milliseconds, percentile(values, percent));
    }
    Ok(())
}

/// Posts that are not counted: the first ones wait for connections to be opened.
const WARM_UP: usize = 20;

async fn submit(client: &mut Client, body: Bytes) -> anyhow::Result<PostId> {
    let answer = client.post("/posts", "application/json", body).await?;
    let answer: Answer = serde_json::from_slice(&answer).context("not an answer to a post")?;
    Ok(answer.id)
}

/// Whether the door keeps up with the load.
async fn heavy(stage: &Stage, sheet: &mut Sheet<'_>, kind: Kind, offered: u32) -> anyhow::Result<bool> {
    let place = stage.place().await?;
    let door = Door::open(stage, &place, kind).await?;
    let worker = (kind == Kind::Sluice).then(|| stage.start(&place, "sluice-worker", &["run"])).transpose()?;
    let load = Load::of_posts(&door.address, Arc::new(stage.posts(|make| make.bodies(2000))));
    load.open(CLIENTS, f64::from(offered), stage.time(WARM_UP_TIME)).await?;
    let delays = load.open(CLIENTS, f64::from(offered), stage.time(TIME)).await?;
    let (half, most) = (percentile(&delays, 50.0), percentile(&delays, 99.0));
    sheet.add(&answer(offered, 50), kind.who(), Unit::Milliseconds, half);
    sheet.add(&answer(offered, 99), kind.who(), Unit::Milliseconds, most);
    if let Some(worker) = worker {
        let ages = stage.rows().ages().await?;
        worker.end().await?;
        if !ages.is_empty() {
            sheet.add(&row(offered), SLUICE, Unit::Milliseconds, percentile(&ages, 50.0));
        }
    }
    door.close().await?;
    place.remove().await;
    Ok(half < BEHIND)
}

/// The first connections of a pool are opened under way.
const WARM_UP_TIME: Duration = Duration::from_millis(500);
