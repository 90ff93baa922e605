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
//! A session begins with one consumer. Redelivered posts stand first in the queue, and the post that killed a worker is
//! among them: taken one by one, the others are stored and it alone approaches the delivery limit. The other consumers
//! start with the first post that was not redelivered, or after a short silence.
//!
//! To withdraw is to cancel the consumers first and then to release what is in flight. In the other order a released
//! post would be redelivered at once, each time one delivery nearer to the limit. At a stop the first two consumers are
//! cancelled after the others have finished, so that no acknowledgement is lost: see [`Session::cancel`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sluice_core::retry::RetryPolicy;
use sluice_rabbit::broker::Broker;
use sluice_rabbit::delivery::{Deliveries, OpenError, Session};
use sluice_rabbit::topology::Topology;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::consumer_stream::{consume, returned_are_taken};
use crate::gate::Gate;
use crate::handler::Handler;

/// How long a withdrawn delivery may take to be released; only the broker can delay it.
const RELEASE: Duration = Duration::from_secs(6);
/// The part of a stop's time that is kept for the release: at most this, and at most a fifth.
const KEPT: Duration = Duration::from_secs(1);
/// The first and the longest wait before a session is rebuilt.
const REBUILD: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// The settings and parts that the consumers of a process need.
pub struct Consumers {
    /// The broker.
    pub broker: Broker,
    /// The names in RabbitMQ.
    pub topology: Topology,
    /// Handles each delivery.
    pub handler: Arc<Handler>,
    /// Closed while posts cannot be stored.
    pub gate: Arc<Gate>,
    /// The number of consumers.
    pub consumers: u16,
    /// The prefetch of each.
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
                    self.say_consuming(true);
                    tracing::info!(consumers = self.consumers, prefetch = self.prefetch, "consuming");
                    let (end, consumed) = self.serve(session, first, &stop).await;
                    self.say_consuming(false);
                    // A session without a delivery does not show that RabbitMQ is well.
                    if consumed > 0 {
                        schedule.reset();
                    }
                    match end {
                        End::Stopped => return,
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

    /// Opens a session. A stop does not interrupt that: its consumers may have posts in flight already, and giving up
    /// would bring each one delivery nearer to the limit.
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

    /// Serves one session to its end. Also returns how many deliveries it had.
    async fn serve(&self, mut session: Session, first: Deliveries, stop: &CancellationToken) -> (End, u64) {
        let (begun, withdrawn) = (Instant::now(), CancellationToken::new());
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
                // A consumer reports its end through `ended` first, unless it panics.
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

    /// Cancels the consumers, lets a stop finish what is in flight, releases the rest and ends the session. Returns the
    /// number of deliveries.
    async fn withdraw(
        &self,
        session: Session,
        tasks: &mut JoinSet<u64>,
        withdrawn: &CancellationToken,
        stopped: bool,
    ) -> u64 {
        let (begun, mut consumed, mut left) = (Instant::now(), 0, RELEASE);
        if stopped {
            let patience = self.drain - KEPT.min(self.drain / 5);
            // The first ones are cancelled by half of it, so that there is time for what they take meanwhile.
            let (half, whole) = (begun + patience / 2, begun + patience);
            for (kept, until) in [(2, half), (1, half), (0, whole)] {
                let finishing = async {
                    session.cancel(kept).await;
                    finish(tasks, kept).await
                };
                consumed += tokio::time::timeout_at(until, finishing).await.unwrap_or_default();
            }
            left = self.drain.saturating_sub(begun.elapsed());
        } else {
            session.cancel(0).await;
        }
        withdrawn.cancel();
        let releasing = async {
            consumed += finish(tasks, 0).await;
            session.close().await;
        };
        // What is left then, the end of the connection releases.
        let _ = tokio::time::timeout(left, releasing).await;
        consumed
    }
}

/// Waits until only so many consumers are left, and returns how many deliveries the others had.
async fn finish(tasks: &mut JoinSet<u64>, left: usize) -> u64 {
    let mut consumed = 0;
    while tasks.len() > left
        && let Some(ended) = tasks.join_next().await
    {
        consumed += ended.unwrap_or(0);
    }
    consumed
}

fn complain(error: &OpenError) {
    match error {
        OpenError::Broker(broker) if !broker.needs_operator() => tracing::warn!(%error, "cannot consume yet"),
        OpenError::Broker(_) | OpenError::Topology(_) => tracing::error!(%error, "cannot consume"),
    }
}
