//! How many cases each queue has: counted once for all who look.

use std::sync::Arc;
use std::time::Duration;

use sluice_mysql::Store;
use sluice_mysql::review::QueueCounts;

use super::watched::Source;

/// The shortest time between two counts.
const REST: Duration = Duration::from_secs(2);
/// With how many times its own duration a count is followed by a rest: it never takes more than a twentieth of the time.
const REST_TIMES: u32 = 20;

/// Counts cases.
pub(crate) struct QueuesSource {
    store: Arc<Store>,
}

impl QueuesSource {
    /// Of this database.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

impl Source for QueuesSource {
    /// The counts, or why they cannot be had.
    type Value = Result<Vec<QueueCounts>, String>;

    async fn take(&mut self) -> Self::Value {
        let counted = self.store.queue_counts().await;
        counted.map_err(|failure| self.store.with_context(failure).to_string())
    }

    fn rest(&self, took: Duration) -> Duration {
        REST.max(took * REST_TIMES)
    }
}
