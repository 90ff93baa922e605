//! Held posts without a case: of a worker of an earlier version, or of a time before there were cases. Looked for at
//! start and each day, in pages, without hurry.

use std::sync::Arc;
use std::time::Duration;

use sluice_core::failure::Failure;
use sluice_core::post::PostId;
use sluice_mysql::Store;
use tokio_util::sync::CancellationToken;

use crate::review::case::sweep;

/// The time between two sweeps.
const EVERY: Duration = Duration::from_secs(24 * 3600);
/// The time to the next one after one that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How many posts are looked at in one step.
const PAGE: u32 = 500;
/// The rest between two steps, so that a sweep of millions of rows is not felt.
const REST: Duration = Duration::from_millis(50);

/// Sweeps until the end.
pub(super) async fn run(store: Arc<Store>, stop: CancellationToken) {
    loop {
        let swept = tokio::select! {
            () = stop.cancelled() => return,
            swept = sweep(&store) => swept,
        };
        let wait = match swept {
            Ok(0) => EVERY,
            Ok(opened) => {
                tracing::info!(opened, "held posts had no case; they have one now");
                EVERY
            }
            Err(failure) => {
                tracing::debug!(%failure, "held posts could not be looked through");
                AFTER_FAILURE
            }
        };
        if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
            return;
        }
    }
}

/// Looks through all posts once; gives how many cases it opened.
async fn sweep(store: &Store) -> Result<u64, Failure> {
    let (mut after, mut opened): (Option<PostId>, u64) = (None, 0);
    loop {
        let (last, held) = store.sweep_held(after, PAGE).await?;
        let cases: Vec<_> = held.iter().map(sweep::case).collect();
        if !cases.is_empty() {
            let new = store.open_cases(&cases).await?;
            metrics::counter!("sluice_review_cases_opened_total").increment(new);
            opened += new;
        }
        if last.is_none() {
            return Ok(opened);
        }
        after = last;
        tokio::time::sleep(REST).await;
    }
}
