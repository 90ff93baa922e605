//! The task that writes down which authors were seen.

use std::sync::Arc;
use std::time::Duration;

use sluice_mysql::{Author, Store};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Authors;

/// How many authors one statement notes.
const AT_ONCE: usize = 256;
/// How long authors gather before they are noted.
const GATHER: Duration = Duration::from_millis(250);
/// The wait after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// What is still to be noted.
pub struct Noting {
    waiting: mpsc::Receiver<Author>,
    store: Arc<Store>,
}

impl Noting {
    pub(super) fn new(waiting: mpsc::Receiver<Author>, store: Arc<Store>) -> Self {
        Self { waiting, store }
    }

    /// Notes authors until `end`. One that is not noted, because MySQL is down or the process ends, is met again with
    /// his next post.
    pub async fn run(mut self, authors: Arc<Authors>, end: CancellationToken) {
        let noting = async {
            let mut some = Vec::with_capacity(AT_ONCE);
            while self.waiting.recv_many(&mut some, AT_ONCE).await > 0 {
                tokio::time::sleep(GATHER).await;
                while some.len() < AT_ONCE
                    && let Ok(author) = self.waiting.try_recv()
                {
                    some.push(author);
                }
                // In one order in all processes, or two of them could wait for each other.
                some.sort_unstable();
                if let Err(failure) = self.store.note_authors(&some).await {
                    tracing::debug!(code = %failure.code, authors = some.len(), "authors are not noted");
                    authors.missed(&some);
                    tokio::time::sleep(PAUSE).await;
                }
                some.clear();
            }
        };
        tokio::select! {
            () = noting => {}
            () = end.cancelled() => {}
        }
    }
}
