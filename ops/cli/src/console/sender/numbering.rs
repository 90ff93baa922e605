//! Gives events their places in the feed, once they are as old as the delay says: until then an undo leaves nothing to
//! take back at the forum but the order of two events.

use std::sync::Arc;
use std::time::Duration;

use sluice_core::failure::Failure;
use sluice_mysql::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::outage::Outage;

/// The time between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// Numbers until the end, and tells `last` how far the feed has come, whoever brought it there.
pub(super) async fn run(store: Arc<Store>, delay: time::Duration, last: watch::Sender<u64>, stop: CancellationToken) {
    let outage = Outage::default();
    loop {
        let wait = match round(&store, delay, &last).await {
            Ok(numbered) => {
                if outage.is_over() {
                    tracing::info!("the feed goes on");
                }
                // The next event of the same post has its turn at once.
                if numbered > 0 { Duration::ZERO } else { LOOK }
            }
            Err(failure) => {
                if outage.has_begun() {
                    let error = store.with_context(failure);
                    tracing::warn!(%error, "no event gets its place in the feed while the database is unusable");
                }
                LOOK
            }
        };
        if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
            return;
        }
    }
}

async fn round(store: &Store, delay: time::Duration, last: &watch::Sender<u64>) -> Result<u64, Failure> {
    let numbered = store.number_events(delay).await?;
    let now = store.last_event().await?;
    last.send_if_modified(|last| std::mem::replace(last, now) != now);
    Ok(numbered)
}
