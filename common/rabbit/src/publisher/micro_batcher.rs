//! Micro-batchers: where single publishes become batches.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::Instant;

use super::pool::Channels;
use super::{Envelope, PublishError};
use sluice_runtime::gather::gather;

/// Micro-batchers that gather single publishes: while one waits for its confirms, the other fills. More of them make
/// smaller batches; seen with 32 clients on two cores: 11,000, 13,400, 11,700 and 10,600 posts a second with 1, 2, 4
/// and 8.
const BATCHERS: usize = 2;
/// The most posts of one gathered batch.
const GATHER: usize = 256;

/// One message of many that micro-batchers gather.
pub(super) struct Job {
    pub(super) envelope: Envelope,
    pub(super) reply: oneshot::Sender<Result<(), PublishError>>,
    /// When its caller expects an answer.
    pub(super) until: Instant,
}

/// Opens the micro-batchers. They end when the last sender of their jobs is dropped.
pub(super) fn open(channels: &Arc<Channels>) -> mpsc::Sender<Job> {
    let (jobs, waiting) = mpsc::channel(GATHER * BATCHERS * 2);
    let waiting = Arc::new(Mutex::new(waiting));
    for _ in 0..BATCHERS {
        tokio::spawn(publish(Arc::clone(&waiting), Arc::clone(channels)));
    }
    jobs
}

/// A micro-batcher: takes the waiting messages, publishes them, reports the outcomes, and repeats, until the last
/// publisher is dropped.
async fn publish(waiting: Arc<Mutex<mpsc::Receiver<Job>>>, channels: Arc<Channels>) {
    let mut jobs = Vec::with_capacity(GATHER);
    loop {
        {
            let mut waiting = waiting.lock().await;
            if waiting.recv_many(&mut jobs, GATHER).await == 0 {
                return;
            }
            // Requests that are there already are read meanwhile: fewer and larger batches, and a quarter less work for
            // the broker.
            gather(&mut waiting, GATHER - jobs.len(), |job| jobs.push(job)).await;
        }
        // A caller that gave up waiting got "unknown"; publishing its message now would only create a duplicate.
        jobs.retain(|job| !job.reply.is_closed());
        // So that each caller learns in time that nothing was sent. No job waits longer for its turn than that: those
        // that are under way are older.
        let ready_by = jobs.iter().map(|job| job.until).min().unwrap_or_else(Instant::now);
        let (batch, replies): (Vec<_>, Vec<_>) = jobs.drain(..).map(|job| (job.envelope, job.reply)).unzip();
        let answers = channels.publish(&batch, ready_by).await;
        for (reply, answer) in replies.into_iter().zip(answers) {
            let _ = reply.send(answer);
        }
    }
}
