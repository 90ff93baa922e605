//! The consumers of one process: a session after the other, from the start to the stop signal.
//!
//! ```text
//!            ┌────────────────────────── wait ◄──────────────────────────┐
//!            ▼                                                           │
//!  gate open ─► open session ─► serve ─┬─ a consumer ended ──► withdraw ─┤
//!                                      ├─ paused too long ───► withdraw ─┘
//!                                      └─ stop signal ───────► drain, then withdraw ─► end
//! ```
//!
//! To withdraw means: the consumers are cancelled first, then whatever is in hand and not done is released. In the
//! other order a released post would come straight back, each time one delivery nearer to its limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::broker::Broker;
use common::delivery::{Deliveries, OpenError, Session};
use common::retry::RetryPolicy;
use common::topology::Topology;
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::gate::Gate;
use crate::handler::Handler;

/// How long a withdrawn delivery may take to be released. Its waits are over; only the broker can delay it.
const RELEASE: Duration = Duration::from_secs(6);
/// How sessions are rebuilt.
const REBUILD: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// What the consumers of a process need.
pub struct Consumers {
    /// Where the queue is.
    pub broker: Broker,
    /// What it is called.
    pub topology: Topology,
    /// What is done with each delivery.
    pub handler: Arc<Handler>,
    /// Closed while posts cannot be stored.
    pub gate: Arc<Gate>,
    /// How many consumers.
    pub consumers: u16,
    /// How many deliveries each has in hand.
    pub prefetch: u16,
    /// How long deliveries are held through a pause before they are released.
    pub hold: Duration,
    /// How long a stop may take to finish what is in hand.
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
            let open = async {
                self.gate.opened().await;
                Session::open(&self.broker, &self.topology, self.consumers, self.prefetch, &self.tag).await
            };
            let opened = tokio::select! {
                () = stop.cancelled() => return,
                opened = open => opened,
            };
            match opened {
                Ok((session, streams)) => {
                    tracing::info!(consumers = self.consumers, prefetch = self.prefetch, "consuming");
                    self.say_consuming(true);
                    let (end, consumed) = self.serve(session, streams, &stop).await;
                    self.say_consuming(false);
                    // A session that never got a delivery proves nothing.
                    if consumed > 0 {
                        schedule.reset();
                    }
                    match end {
                        End::Stopped => return,
                        // The gate is the wait.
                        End::Paused => continue,
                        End::Broken(why) => tracing::warn!(%why, "the session with RabbitMQ ended; building a new one"),
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

    fn say_consuming(&self, consuming: bool) {
        self.consuming.store(consuming, Ordering::Relaxed);
        metrics::gauge!("sluice_worker_consuming").set(u8::from(consuming));
    }

    /// Serves one session to its end. Also tells how many deliveries it had.
    async fn serve(&self, session: Session, streams: Vec<Deliveries>, stop: &CancellationToken) -> (End, u64) {
        let withdrawn = CancellationToken::new();
        let (ended, mut first_end) = mpsc::channel(1);
        let mut tasks = JoinSet::new();
        for stream in streams {
            let consumer = consume(stream, Arc::clone(&self.handler), self.prefetch, withdrawn.clone(), ended.clone());
            tasks.spawn(consumer.in_current_span());
        }
        let mut consumed = 0;
        let end = tokio::select! {
            () = stop.cancelled() => End::Stopped,
            () = self.gate.closed_for(self.hold) => End::Paused,
            Some(why) = first_end.recv() => End::Broken(why),
            // Consumers say that they end before they do; only a panic comes unsaid.
            Some(Err(panic)) = tasks.join_next() => End::Broken(panic.to_string()),
        };
        session.cancel().await;
        if matches!(end, End::Stopped) {
            consumed += tokio::time::timeout(self.drain, finish(&mut tasks)).await.unwrap_or_default();
        }
        withdrawn.cancel();
        consumed += tokio::time::timeout(RELEASE, finish(&mut tasks)).await.unwrap_or_default();
        session.close().await;
        (end, consumed)
    }
}

/// One consumer: as many deliveries at once as it may have in hand. Tells how many there were.
///
/// That its stream has ended is said at once, through `ended`: deliveries still in hand may be waiting for something
/// that only a new session brings.
async fn consume(
    stream: Deliveries,
    handler: Arc<Handler>,
    prefetch: u16,
    withdrawn: CancellationToken,
    ended: mpsc::Sender<String>,
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
                    return std::future::ready(Some(delivery));
                }
                Some(Err(failure)) => failure.message,
                None => "the broker cancelled a consumer".to_owned(),
            };
            // Full means that somebody said so first.
            let _ = ended.try_send(why);
            std::future::ready(None)
        })
        .for_each_concurrent(usize::from(prefetch), |delivery| handler.handle(delivery, withdrawn))
        .await;
    consumed
}

/// Waits for all consumers; how many deliveries they had.
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
