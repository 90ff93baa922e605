//! How `publish` and `generate` publish posts: rate-limited, in chunks, several at once, and accounted for in the order
//! of the source.
//!
//! ```text
//!  source ─► pace ─► chunk ─┐
//!                            ├─► retrying publisher (4 at a time) ─► in order: bad lines said, receipts written, bar moved
//!                            ┘
//! ```
//!
//! However it ends, there is one line number to continue from: every line before it is confirmed, or was reported as
//! bad.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::{Stream, StreamExt as _, stream};
use sluice_core::config::BrokerArgs;
use sluice_rabbit::broker::Broker;
use sluice_rabbit::publisher::Publisher;
use sluice_rabbit::topology::Topology;
use tokio_util::sync::CancellationToken;

use crate::bulk::chunk::Chunk;
use crate::bulk::entry::{Bundle, Entry};
use crate::bulk::outcome::PublishOutcome;
use crate::bulk::progress::Progress;
use crate::bulk::rate_limit::RateLimit;
use crate::bulk::retrying_publisher::RetryingPublisher;
use crate::bulk::summary::Summary;
use crate::cli::RunArgs;
use crate::lines::gather;
use crate::receipts::Receipts;
use crate::submit;
use crate::topology_status;

/// The longest wait for the confirms of one chunk, before it is sent again.
const CONFIRM_WITHIN: Duration = Duration::from_secs(5);
/// Chunks in progress at once.
const UNDER_WAY: usize = 4;
/// The most posts of a chunk.
const CHUNK: usize = 500;
/// About how many bytes of text a chunk holds at most.
const CHUNK_BYTES: usize = 1024 * 1024;

/// All that a run needs besides its source.
pub struct Pipeline {
    publisher: Publisher,
    topology: Topology,
    /// Posts a second.
    rate: Option<f64>,
    patience: Duration,
    receipts: Option<Receipts>,
    progress: Progress,
    /// The name of the source in messages.
    source: String,
}

impl Pipeline {
    /// Prepares everything: opens the receipts, declares the queues.
    ///
    /// # Errors
    /// When a setting is wrong, the receipts cannot be written, or the queues cannot be declared: immediately if that
    /// needs an operator, otherwise after the patience.
    pub async fn open(
        broker: &BrokerArgs,
        run: &RunArgs,
        rate: Option<f64>,
        progress: Progress,
        source: String,
    ) -> anyhow::Result<Self> {
        let topology = Topology::new(broker);
        let broker = Broker::new(broker, "sluice-producer")?;
        let receipts = run.receipts.as_deref().map(Receipts::open).transpose()?;
        topology_status::declare_within(run.patience, &broker, &topology, |error| progress.say(error)).await?;
        let publisher = Publisher::new(&broker.lean(), &topology, CONFIRM_WITHIN)?;
        Ok(Self { publisher, topology, rate, patience: run.patience, receipts, progress, source })
    }

    /// Publishes everything in the source, or until `stop`.
    pub async fn run<S>(mut self, entries: S, stop: &CancellationToken) -> PublishOutcome
    where
        S: Stream<Item = io::Result<Entry>> + Unpin,
    {
        let halt = stop.child_token();
        let (publisher, topology) = (self.publisher.clone(), self.topology.clone());
        let retrying_publisher = RetryingPublisher::new(publisher, self.patience, self.progress.clone(), halt.clone());
        let (retrying_publisher, titles) = (Arc::new(retrying_publisher), self.progress.each);
        let carried =
            bundles(entries, RateLimit::new(self.rate)).take_until(halt.clone().cancelled_owned()).map(|bundle| {
                let (retrying_publisher, chunk) =
                    (Arc::clone(&retrying_publisher), Chunk::pack(bundle, &topology, titles));
                // On a task of its own, so that publishing uses every core.
                tokio::spawn(async move { retrying_publisher.carry(chunk).await })
            });
        let mut carried = pin!(carried.buffered(UNDER_WAY));
        let mut summary = Summary::new();
        while let Some(chunk) = carried.next().await {
            let settled = match chunk {
                Ok(chunk) => self.settle(chunk, &mut summary, stop),
                Err(panic) => {
                    summary.lose();
                    Err(panic.into())
                }
            };
            if let Err(error) = settled {
                // Chunks in progress may still be confirmed, and are still accounted for.
                halt.cancel();
                summary.fail(error);
            }
        }
        self.progress.clear();
        summary.conclude()
    }

    /// Accounts for a chunk.
    fn settle(&mut self, chunk: Chunk, summary: &mut Summary, stop: &CancellationToken) -> anyhow::Result<()> {
        summary.add(&chunk);
        for (line, reason) in &chunk.bad {
            self.progress.say(&format!("{}:{line}: {reason}", self.source));
        }
        let confirmed = || chunk.posts.iter().filter(|post| post.confirmed);
        if let Some(receipts) = &mut self.receipts {
            receipts.write(confirmed().map(|post| post.id))?;
        }
        for (id, title) in confirmed().filter_map(|post| Some((post.id, post.title.as_ref()?))) {
            self.progress.report(&format!("{id}  {title}"));
        }
        self.progress.advance(chunk.mark, summary.published(), summary.posts_a_second());
        match (chunk.error, chunk.end) {
            // A try interrupted by the signal is part of stopping.
            (Some(error), _) if !stop.is_cancelled() => {
                Err(error).with_context(|| format!("gave up after {:?} without progress", self.patience))
            }
            (_, Some(Err(error))) => Err(error).with_context(|| format!("cannot read {}", self.source)),
            _ => Ok(()),
        }
    }
}

/// The source in bundles, at its pace.
fn bundles<S>(entries: S, rate_limit: RateLimit) -> impl Stream<Item = Bundle>
where
    S: Stream<Item = io::Result<Entry>> + Unpin,
{
    stream::unfold(Some((entries, rate_limit)), async |source| {
        let (mut entries, mut rate_limit) = source?;
        let mut bundle = Bundle::default();
        let gathered = gather(&mut entries, rate_limit.burst(CHUNK), CHUNK_BYTES, weight).await;
        if gathered.is_empty() {
            bundle.end = Some(Ok(()));
        }
        for entry in gathered {
            match entry {
                Ok(entry) => bundle.entries.push(entry),
                Err(error) => bundle.end = Some(Err(error)),
            }
        }
        rate_limit.take(bundle.entries.iter().filter(|entry| entry.post.is_ok()).count()).await;
        let now = submit::now();
        for post in bundle.entries.iter_mut().filter_map(|entry| entry.post.as_mut().ok()) {
            // It was read earlier; it is submitted when its turn has come.
            post.submitted_at = now;
        }
        let source = bundle.end.is_none().then_some((entries, rate_limit));
        Some((bundle, source))
    })
}

fn weight(entry: &io::Result<Entry>) -> usize {
    match entry {
        Ok(Entry { post: Ok(post), .. }) => post.content.len(),
        _ => 0,
    }
}
