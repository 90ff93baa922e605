//! The task that tells other processes of the posts that this one has met, and hears of theirs.

use std::sync::Arc;
use std::time::Duration;

use sluice_rabbit::broker::Broker;
use sluice_rabbit::near_copies;
use sluice_rabbit::topology::Topology;
use sluice_review::copies::{BATCH_MAX, Said, decoded, encoded};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Copies, UNTOLD_MAX, shared};

/// How long posts gather before they are told: other processes hear of one within about this time.
const GATHER: Duration = Duration::from_millis(250);
/// How many batches may wait for RabbitMQ: what gathers in a quarter of a second, twice.
const BATCHES_MAX: usize = 2 * UNTOLD_MAX / BATCH_MAX;

/// What is still to be told.
pub struct Sharing {
    waiting: mpsc::Receiver<Said>,
}

impl Sharing {
    pub(super) fn new(waiting: mpsc::Receiver<Said>) -> Self {
        Self { waiting }
    }

    /// Tells and hears until `end`.
    pub async fn run(self, copies: Arc<Copies>, broker: Broker, topology: Topology, end: CancellationToken) {
        let (batches, outgoing) = mpsc::channel(BATCHES_MAX);
        let heard = |bytes: &[u8]| match decoded(bytes) {
            Some(batch) => copies.hear(&batch),
            None => tracing::debug!(bytes = bytes.len(), "what was shared of near copies cannot be read"),
        };
        tokio::join!(
            gather(self.waiting, batches, &copies, &end),
            near_copies::share(&broker, &topology, outgoing, heard, end.clone()),
        );
    }
}

/// Makes batches of the posts that wait, at most one round in [`GATHER`].
async fn gather(
    mut waiting: mpsc::Receiver<Said>,
    batches: mpsc::Sender<Vec<u8>>,
    copies: &Copies,
    end: &CancellationToken,
) {
    let mut posts = Vec::new();
    loop {
        tokio::select! {
            () = end.cancelled() => return,
            _ = waiting.recv_many(&mut posts, BATCH_MAX) => {}
        }
        tokio::select! {
            () = end.cancelled() => return,
            () = tokio::time::sleep(GATHER) => {}
        }
        while posts.len() < UNTOLD_MAX
            && let Ok(said) = waiting.try_recv()
        {
            posts.push(said);
        }
        for batch in posts.chunks(BATCH_MAX) {
            let sent = batches.try_send(encoded(batch)).is_ok();
            shared(if sent { "sent" } else { "dropped" }, batch.len());
        }
        posts.clear();
        copies.report();
    }
}
