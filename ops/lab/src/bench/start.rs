//! How long the programs take to start and to stop, with servers that are up and nothing to do.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::figures::SLUICE;
use super::figures::{Sheet, Unit};
use super::stage::Stage;
use crate::program::{self, Program};

/// How long a program may take until it says that it is ready.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// What it was measured under, in the tables.
pub(super) const WORKER_READY: &str = "worker ready";
pub(super) const WORKER_GONE: &str = "worker gone, idle";
pub(super) const PRODUCER_READY: &str = "producer ready";
pub(super) const PRODUCER_GONE: &str = "producer gone, idle";

pub(super) async fn turn(stage: &Stage, sheet: &mut Sheet<'_>) -> anyhow::Result<()> {
    for (name, command, ready, gone) in [
        ("sluice-worker", "run", WORKER_READY, WORKER_GONE),
        ("sluice-producer", "serve", PRODUCER_READY, PRODUCER_GONE),
    ] {
        let place = stage.place().await?;
        let address = program::free_address()?;
        let begun = Instant::now();
        let mut program = stage.start(&place, name, &[command, "--listen", &address])?;
        is_ready(&mut program, &address, begun).await?;
        sheet.add(ready, SLUICE, Unit::Milliseconds, begun.elapsed().as_secs_f64() * 1e3);
        let told = Instant::now();
        program.end().await?;
        sheet.add(gone, SLUICE, Unit::Milliseconds, told.elapsed().as_secs_f64() * 1e3);
        place.remove().await;
    }
    Ok(())
}

/// Waits until `/readyz` says yes.
async fn is_ready(program: &mut Program, address: &str, begun: Instant) -> anyhow::Result<()> {
    let url = format!("http://{address}/readyz");
    while !reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
        program.check()?;
        ensure!(begun.elapsed() < READY_WITHIN, "not ready within {READY_WITHIN:?}; see {}", program.log().display());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}
