//! Throttles a replay: for posts that arrive in the meantime, and while workers cannot store anything.
//!
//! ```text
//!  every 0.2 s: how long is the queue? ──┐            more than 1,000 longer than at the beginning ─► slower
//!                                        ├─► what     all workers paused ─► dead letters returned, and wait
//!  every 2 s: the worker-status request ─────────────┘   is seen  nobody answers ─► one warning; posts are queued
//! ```
//!
//! If something cannot be measured, the replay continues: publishing to a broker that is down fails anyway.

use std::time::Duration;

use sluice_core::failure::Failure;
use sluice_rabbit::broker::{Broker, close};
use sluice_rabbit::topology::Topology;
use sluice_rabbit::worker_status::{self, State, WorkerStatus};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::browse::DeadLetters;

/// How often the queue is measured.
const MEASURE: Duration = Duration::from_millis(200);
/// How often workers are asked for their status, and how long to wait for answers.
const CALL: Duration = Duration::from_secs(2);
const LISTEN: Duration = Duration::from_millis(300);
/// By how much the queue may grow before a replay slows down.
const GROWTH: u32 = 1000;
/// The longest wait of a slow replay for the workers, at each batch.
const SLOW: Duration = Duration::from_secs(1);

/// What is known about the workers and their queue.
pub(in crate::dlq) struct Backpressure {
    waiting: watch::Receiver<Option<u32>>,
    /// None until the first worker status is over.
    workers: watch::Receiver<Option<WorkersState>>,
    at_first: Option<u32>,
    said_slow: bool,
    said_nobody: bool,
    watchers: [JoinHandle<()>; 2],
}

/// Which workers consume posts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum WorkersState {
    Unknown,
    Nobody,
    Working,
    /// All of them are paused, for this reason.
    Paused(String),
}

/// How to continue.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::dlq) enum Signal {
    /// As fast as can be.
    Free,
    /// In small batches: the workers are behind.
    Slow,
    /// Not now: all workers wait, for this.
    Hold(String),
}

impl Backpressure {
    /// Starts to watch. Returns once the workers are known, or cannot be known.
    pub(in crate::dlq) async fn watch(dead: &DeadLetters) -> Self {
        let (measured, waiting) = watch::channel(None);
        let (called, mut workers) = watch::channel(None);
        let (broker, topology) = (dead.broker.clone(), dead.topology.clone());
        let measuring = tokio::spawn(measure(broker.clone(), topology.clone(), measured));
        let calling = tokio::spawn(call(broker, topology, called));
        tokio::select! {
            _ = workers.wait_for(Option::is_some) => {}
            () = dead.stop.cancelled() => {}
        }
        let watchers = [measuring, calling];
        Self { waiting, workers, at_first: None, said_slow: false, said_nobody: false, watchers }
    }

    /// How to continue. `say` is called once for each thing that an operator should know. If the workers are behind,
    /// waits a moment first.
    pub(in crate::dlq) async fn signal(&mut self, say: impl Fn(&str)) -> Signal {
        let workers = self.workers.borrow().clone();
        match workers {
            Some(WorkersState::Paused(why)) => return Signal::Hold(why),
            Some(WorkersState::Nobody) => {
                if !std::mem::replace(&mut self.said_nobody, true) {
                    say("no worker answers: replayed posts wait in the queue until one starts");
                }
                return Signal::Free;
            }
            Some(WorkersState::Working | WorkersState::Unknown) | None => {}
        }
        let limit = match (self.at_first, *self.waiting.borrow()) {
            (Some(at_first), _) => at_first + GROWTH,
            (None, seen) => {
                self.at_first = seen;
                return Signal::Free;
            }
        };
        let behind = |waiting: &Option<u32>| waiting.is_some_and(|waiting| waiting > limit);
        if !behind(&self.waiting.borrow()) {
            return Signal::Free;
        }
        if !std::mem::replace(&mut self.said_slow, true) {
            say(&format!("the queue has grown by more than {GROWTH}: continuing at the workers' pace"));
        }
        let caught_up = self.waiting.wait_for(|waiting| !behind(waiting));
        if matches!(tokio::time::timeout(SLOW, caught_up).await, Ok(Ok(_))) { Signal::Free } else { Signal::Slow }
    }

    /// Returns when some worker is not paused any more.
    pub(in crate::dlq) async fn resumed(&mut self) {
        // Its sender lives as long as `self`.
        let _ = self.workers.wait_for(|workers| !matches!(workers, Some(WorkersState::Paused(_)))).await;
    }
}

impl Drop for Backpressure {
    fn drop(&mut self) {
        self.watchers.iter().for_each(JoinHandle::abort);
    }
}

/// Measures the queue, over a connection that is reopened when it breaks.
async fn measure(broker: Broker, topology: Topology, measured: watch::Sender<Option<u32>>) {
    loop {
        if let Ok(connection) = broker.connect().await {
            let ended: Result<(), Failure> = async {
                loop {
                    measured.send_replace(Some(topology.queue_depth(&connection).await?.ready));
                    tokio::time::sleep(MEASURE).await;
                }
            }
            .await;
            tracing::debug!(?ended, "the queue cannot be measured");
            close(&connection).await;
        }
        measured.send_replace(None);
        tokio::time::sleep(CALL).await;
    }
}

async fn call(broker: Broker, topology: Topology, called: watch::Sender<Option<WorkersState>>) {
    loop {
        let workers = match worker_status::call(&broker, &topology, LISTEN).await {
            Ok(heard) => workers(&heard),
            Err(_) => WorkersState::Unknown,
        };
        called.send_replace(Some(workers));
        tokio::time::sleep(CALL).await;
    }
}

fn workers(heard: &[WorkerStatus]) -> WorkersState {
    let paused = |worker: &WorkerStatus| worker.state == State::Paused;
    match heard.first() {
        None => WorkersState::Nobody,
        Some(first) if heard.iter().all(paused) => {
            let why = first.paused.as_ref();
            WorkersState::Paused(
                why.map_or_else(String::new, |pause| format!("{}: {}", pause.dependency, pause.message)),
            )
        }
        Some(_) => WorkersState::Working,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_rabbit::worker_status::Paused;
    use time::OffsetDateTime;

    fn worker(state: State) -> WorkerStatus {
        let at = OffsetDateTime::UNIX_EPOCH;
        let paused = (state == State::Paused).then(|| Paused {
            dependency: "mysql".to_owned(),
            since: at,
            code: "mysql_unreachable".to_owned(),
            message: "refused".to_owned(),
        });
        WorkerStatus {
            worker: "w".to_owned(),
            pid: 1,
            version: "0".to_owned(),
            ruleset: "r".to_owned(),
            started_at: at,
            state,
            paused,
            consumers: 0,
            in_flight: 0,
            stored: 0,
            dead_lettered: 0,
            oldest_submitted_at: None,
            rules: None,
            scorer: None,
            reviewer: None,
        }
    }

    #[test]
    fn a_replay_is_held_only_while_all_workers_are_paused() {
        assert_eq!(workers(&[]), WorkersState::Nobody);
        assert_eq!(workers(&[worker(State::Paused), worker(State::Consuming)]), WorkersState::Working);
        assert_eq!(workers(&[worker(State::Paused)]), WorkersState::Paused("mysql: refused".to_owned()));
    }

    #[tokio::test]
    async fn a_replay_slows_down_when_the_queue_has_grown_and_goes_on_when_it_has_not() {
        let (measured, waiting) = watch::channel(Some(50));
        let (_called, workers) = watch::channel(Some(WorkersState::Working));
        let watchers = [tokio::spawn(async {}), tokio::spawn(async {})];
        let mut backpressure =
            Backpressure { waiting, workers, at_first: None, said_slow: false, said_nobody: false, watchers };
        let said = std::cell::Cell::new(0);
        let say = |_: &str| said.set(said.get() + 1);
        assert_eq!(backpressure.signal(say).await, Signal::Free);
        measured.send_replace(Some(50 + GROWTH));
        assert_eq!(backpressure.signal(say).await, Signal::Free);
        measured.send_replace(Some(51 + GROWTH));
        tokio::time::pause();
        assert_eq!((backpressure.signal(say).await, backpressure.signal(say).await), (Signal::Slow, Signal::Slow));
        assert_eq!(said.get(), 1, "it is said once");
        measured.send_replace(Some(0));
        assert_eq!(backpressure.signal(say).await, Signal::Free);
    }
}
