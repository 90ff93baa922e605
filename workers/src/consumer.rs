//! The consumers of one process: one session after another, from the start to the stop signal.
//!
//! ```text
//!            ┌────────────────────────── wait ◄──────────────────────────┐
//!            ▼                                                           │
//!  gate open ─► open session ─► serve ─┬─ a consumer ended ──► withdraw ─┤
//!                                      ├─ paused too long ───► withdraw ─┘
//!                                      └─ stop signal ───────► drain, then withdraw ─► end
//! ```
//!
//! A session begins with one consumer. Redelivered posts are first in the queue, and a post that killed a worker is one
//! of them. If they are taken one by one, the others are stored, and only that post gets nearer to its limit. The other
//! consumers start at the first post that was not redelivered, or after a quiet moment.
//!
//! To withdraw means to cancel the consumers first, then to release what is in flight and not done. In the other order,
//! a released post would be delivered again at once, each time one delivery nearer to its limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use sluice_core::retry::RetryPolicy;
use sluice_rabbit::broker::Broker;
use sluice_rabbit::delivery::{Deliveries, OpenError, Session};
use sluice_rabbit::topology::Topology;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::gate::Gate;
use crate::handler::Handler;

/// How long a withdrawn delivery may take to be released. Its waits are over; only the broker can delay it.
const RELEASE: Duration = Duration::from_secs(6);
/// How much of a stop's time is reserved for the release: at most this, and at most a fifth.
const KEPT: Duration = Duration::from_secs(1);
/// How long the first consumer of a session waits for redelivered posts. A post that kills a worker does so quickly.
const QUIET: Duration = Duration::from_millis(300);
/// How sessions are reopened.
const REBUILD: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// The settings and parts that the consumers of a process need.
pub struct Consumers {
    /// Where the queue is.
    pub broker: Broker,
    /// What it is called.
    pub topology: Topology,
    /// Handles each delivery.
    pub handler: Arc<Handler>,
    /// Closed while posts cannot be stored.
    pub gate: Arc<Gate>,
    /// How many consumers.
    pub consumers: u16,
    /// How many deliveries each has in flight.
    pub prefetch: u16,
    /// How long deliveries are held through a pause before they are released.
    pub hold: Duration,
    /// How long a stop may take to finish what is in flight.
    pub drain: Duration,
    /// Their name in the broker's lists.
    pub tag: String,
    /// Whether a session is open.
    pub consuming: Arc<AtomicBool>,
}

/// Why a session ended.
#[derive(Debug)]
enum End {
    Stopped,
    Paused,
    Broken(String),
}

impl Consumers {
    /// Consumes until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        let mut schedule = RetryPolicy::forever(REBUILD.0, REBUILD.1).schedule();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.gate.opened() => {}
            }
            let Some(opened) = self.open(&stop).await else { return };
            match opened {
                Ok((session, first)) => {
                    tracing::info!(consumers = self.consumers, prefetch = self.prefetch, "consuming");
                    self.say_consuming(true);
                    let (end, consumed) = self.serve(session, first, &stop).await;
                    self.say_consuming(false);
                    // A session without any delivery does not prove that all is well.
                    if consumed > 0 {
                        schedule.reset();
                    }
                    match end {
                        End::Stopped => return,
                        // The gate provides the wait.
                        End::Paused => continue,
                        End::Broken(why) => tracing::warn!(%why, "the session with RabbitMQ ended; opening a new one"),
                    }
                }
                Err(error) => complain(&error),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(schedule.next_wait(fastrand::f64())) => {}
            }
        }
    }

    /// Opens a session. A stop waits for this to finish: its first consumers may already have posts in flight, and if
    /// the session were dropped, each of these would be a delivery nearer to its limit.
    async fn open(&self, stop: &CancellationToken) -> Option<Result<(Session, Deliveries), OpenError>> {
        let open = Session::open(&self.broker, &self.topology, &self.tag);
        tokio::pin!(open);
        tokio::select! {
            opened = &mut open => return Some(opened),
            () = stop.cancelled() => {}
        }
        tokio::time::timeout(KEPT.min(self.drain / 5), open).await.ok()
    }

    fn say_consuming(&self, consuming: bool) {
        self.consuming.store(consuming, Ordering::Relaxed);
        metrics::gauge!("sluice_worker_consuming").set(u8::from(consuming));
    }

    /// Serves one session until it ends. Also returns how many deliveries it had.
    async fn serve(&self, mut session: Session, first: Deliveries, stop: &CancellationToken) -> (End, u64) {
        let begun = Instant::now();
        let withdrawn = CancellationToken::new();
        let (ended, mut first_end) = mpsc::channel(1);
        let (arrived, mut arrivals) = mpsc::unbounded_channel();
        let consume = |stream, arrived| {
            consume(stream, Arc::clone(&self.handler), withdrawn.clone(), ended.clone(), arrived).in_current_span()
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(consume(first, Some(arrived)));
        let mut narrow = true;
        let end = loop {
            tokio::select! {
                () = stop.cancelled() => break End::Stopped,
                () = self.gate.closed_for(self.hold, begun) => break End::Paused,
                Some(why) = first_end.recv() => break End::Broken(why),
                // Consumers announce their end; only a panic is unannounced.
                Some(Err(panic)) = tasks.join_next() => break End::Broken(panic.to_string()),
                () = returned_are_taken(&mut arrivals), if narrow => match session.widen(self.consumers, self.prefetch, stop).await {
                    Ok(streams) => {
                        narrow = false;
                        arrivals.close();
                        for stream in streams {
                            tasks.spawn(consume(stream, None));
                        }
                    }
                    Err(failure) => break End::Broken(failure.message),
                },
            }
        };
        let consumed = self.withdraw(session, &mut tasks, &withdrawn, matches!(end, End::Stopped)).await;
        (end, consumed)
    }

    /// Cancels the consumers, lets a stop finish what is in flight, releases the rest and ends the session. Returns how
    /// many deliveries there were.
    async fn withdraw(
        &self,
        session: Session,
        tasks: &mut JoinSet<u64>,
        withdrawn: &CancellationToken,
        stopped: bool,
    ) -> u64 {
        let mut consumed = 0;
        let begun = Instant::now();
        let mut left = RELEASE;
        if stopped {
            let finishing = async {
                session.cancel().await;
                finish(tasks).await
            };
            let patience = self.drain - KEPT.min(self.drain / 5);
            consumed += tokio::time::timeout(patience, finishing).await.unwrap_or_default();
            left = self.drain.saturating_sub(begun.elapsed());
        } else {
            session.cancel().await;
        }
        withdrawn.cancel();
        let releasing = async {
            consumed += finish(tasks).await;
            session.close().await;
        };
        // What is not released by then is returned by the end of the connection.
        let _ = tokio::time::timeout(left, releasing).await;
        consumed
    }
}

/// One consumer: handles as many deliveries at once as the broker sends. Returns how many there were.
///
/// The end of its stream is reported immediately, through `ended`, because deliveries in flight may be waiting for
/// something that only a new session brings. Therefore the stream is polled while they wait, and there is no additional
/// limit on their number.
async fn consume(
    stream: Deliveries,
    handler: Arc<Handler>,
    withdrawn: CancellationToken,
    ended: mpsc::Sender<String>,
    arrived: Option<mpsc::UnboundedSender<u64>>,
) -> u64 {
    let mut consumed = 0;
    let (handler, withdrawn) = (&handler, &withdrawn);
    stream
        .map(Some)
        .chain(futures_util::stream::iter([None]))
        .filter_map(|next| {
            let why = match next {
                Some(Ok(delivery)) => {
                    consumed += 1;
                    // Only the beginning of a session matters.
                    let _ = arrived.as_ref().map(|arrived| arrived.send(delivery.redeliveries()));
                    return std::future::ready(Some(delivery));
                }
                Some(Err(failure)) => failure.message,
                None => "the broker cancelled a consumer".to_owned(),
            };
            // Full means that it was already reported.
            let _ = ended.try_send(why);
            std::future::ready(None)
        })
        .for_each_concurrent(None, |delivery| handler.handle(delivery, withdrawn))
        .await;
    consumed
}

/// Waits for a post that was not redelivered, or until none arrives for [`QUIET`], or until a redelivered post takes
/// long.
async fn returned_are_taken(arrivals: &mut mpsc::UnboundedReceiver<u64>) {
    while let Ok(Some(1..)) = tokio::time::timeout(QUIET, arrivals.recv()).await {}
}

/// Waits for all consumers; returns how many deliveries they had.
async fn finish(tasks: &mut JoinSet<u64>) -> u64 {
    let mut consumed = 0;
    while let Some(ended) = tasks.join_next().await {
        consumed += ended.unwrap_or(0);
    }
    consumed
}

fn complain(error: &OpenError) {
    match error {
        OpenError::Topology(_) => tracing::error!(%error, "cannot consume"),
        OpenError::Broker(broker) if broker.needs_operator() => tracing::error!(%error, "cannot consume"),
        OpenError::Broker(_) => tracing::warn!(%error, "cannot consume yet"),
    }
}
