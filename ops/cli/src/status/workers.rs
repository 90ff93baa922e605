//! The workers that answered the worker-status request, and a summary of their answers.

use std::time::Duration;

use serde::Serialize;
use sluice_rabbit::broker::{Broker, BrokerError};
use sluice_rabbit::topology::Topology;
use sluice_rabbit::worker_status::{self, State, WorkerStatus};
use time::OffsetDateTime;

/// How long a call listens for answers. A worker answers within milliseconds, unless its machine is busy.
const PATIENCE: Duration = Duration::from_millis(600);

/// Who answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Workers(Vec<WorkerStatus>);

/// A pause that workers report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PausedWorkers {
    /// What they wait for: `mysql`.
    pub(crate) dependency: String,
    /// Since when the first of them does, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) since: OffsetDateTime,
    /// How many do.
    pub(crate) workers: usize,
    /// The first one's latest failure.
    pub(crate) code: String,
    /// What happened.
    pub(crate) message: String,
}

impl Workers {
    /// Asks all workers for their status.
    ///
    /// # Errors
    /// When the broker cannot be queried.
    pub(crate) async fn call(broker: &Broker, topology: &Topology) -> Result<Self, BrokerError> {
        worker_status::call(broker, topology, PATIENCE).await.map(Self)
    }

    /// Each of them.
    pub(crate) fn members(&self) -> &[WorkerStatus] {
        &self.0
    }

    /// The pause, if any of them is paused.
    pub(crate) fn paused(&self) -> Option<PausedWorkers> {
        let paused = || self.0.iter().filter_map(|worker| worker.paused.as_ref());
        let first = paused().min_by_key(|pause| pause.since)?;
        Some(PausedWorkers {
            dependency: first.dependency.clone(),
            since: first.since,
            workers: paused().count(),
            code: first.code.clone(),
            message: first.message.clone(),
        })
    }

    /// Posts in flight.
    pub(crate) fn in_flight(&self) -> u32 {
        self.0.iter().map(|worker| worker.in_flight).sum()
    }

    /// Consumers of those who answered.
    pub(crate) fn consumers(&self) -> u32 {
        self.0.iter().map(|worker| worker.consumers).sum()
    }

    /// When the oldest post that is not settled was submitted, as far as a worker has seen it: in flight, or released
    /// because of a pause. If posts only wait in the queue, the last delivered ones are older than any of them.
    pub(crate) fn oldest(&self, waiting: bool) -> Option<OffsetDateTime> {
        let seen = |worker: &&WorkerStatus| worker.in_flight > 0 || (waiting && worker.state == State::Paused);
        let oldest =
            |workers: &mut dyn Iterator<Item = &WorkerStatus>| workers.filter_map(|w| w.oldest_submitted_at).min();
        let known = oldest(&mut self.0.iter().filter(seen));
        known.or_else(|| oldest(&mut self.0.iter()).filter(|_| waiting))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use sluice_rabbit::worker_status::{OutsideReviewer, Paused, RulesInForce, RulesRefused, ScorerInForce};
    use time::macros::datetime;

    pub(in super::super) const NOON: OffsetDateTime = datetime!(2026-11-22 12:00:00 UTC);

    fn worker(name: &str, in_flight: u32, submitted_before: i64) -> WorkerStatus {
        WorkerStatus {
            worker: name.to_owned(),
            pid: 7,
            version: "0.1.0".to_owned(),
            ruleset: "builtin".to_owned(),
            started_at: NOON,
            state: State::Consuming,
            paused: None,
            consumers: 8,
            in_flight,
            stored: 0,
            dead_lettered: 0,
            oldest_submitted_at: Some(NOON - time::Duration::seconds(submitted_before)),
            rules: None,
            scorer: None,
            reviewer: None,
        }
    }

    /// Two workers; the second has waited for MySQL for a minute, refused newer rules, and does not ask the outside
    /// reviewer.
    pub(in super::super) fn workers() -> Workers {
        let mut waiting = worker("w-2", 0, 90);
        waiting.state = State::Paused;
        waiting.consumers = 0;
        waiting.paused = Some(Paused {
            dependency: "mysql".to_owned(),
            since: NOON - time::Duration::seconds(60),
            code: "mysql_unreachable".to_owned(),
            message: "refused".to_owned(),
        });
        let before = |seconds| NOON - time::Duration::seconds(seconds);
        let refused = RulesRefused { at: before(30), why: "site.toml:3:1: no".to_owned() };
        waiting.rules = Some(RulesInForce { since: before(60), refused: Some(refused) });
        waiting.scorer = Some(ScorerInForce {
            id: "learned@0123456789ab".to_owned(),
            since: before(60),
            in_shadow: Some("it learnt from 2 texts".to_owned()),
            refused: Some(RulesRefused { at: before(20), why: "it is cut short".to_owned() }),
        });
        waiting.reviewer = Some(OutsideReviewer {
            circuit: "open".to_owned(),
            since: Some(before(10)),
            why: Some("reviewer_status_500: no".to_owned()),
        });
        Workers(vec![worker("w-1", 3, 10), waiting])
    }

    /// Workers that consume and have nothing in flight, `w-1` and so on, each with what it has stored so far.
    pub(in super::super) fn workers_of(stored: &[u64]) -> Workers {
        let worker = |(number, stored): (usize, &u64)| WorkerStatus {
            stored: *stored,
            ..worker(&format!("w-{}", number + 1), 0, 10)
        };
        Workers(stored.iter().enumerate().map(worker).collect())
    }

    impl Workers {
        /// The same workers, each paused for what `pause` says.
        pub(in super::super) fn paused_for(mut self, pause: impl Fn(usize) -> Paused) -> Self {
            for (place, worker) in self.0.iter_mut().enumerate() {
                (worker.state, worker.paused) = (State::Paused, Some(pause(place)));
            }
            self
        }

        /// The same workers under one name, of one version and of rules that bear it, too.
        pub(in super::super) fn named(mut self, name: &str) -> Self {
            for worker in &mut self.0 {
                (worker.worker, worker.version, worker.ruleset) = (name.to_owned(), name.to_owned(), name.to_owned());
            }
            self
        }
    }

    #[test]
    fn a_pause_of_some_is_told_with_its_beginning() {
        let paused = workers().paused().expect("one is paused");
        assert_eq!((paused.workers, paused.dependency.as_str()), (1, "mysql"));
        assert_eq!(paused.since, NOON - time::Duration::seconds(60));
        assert_eq!(Workers::default().paused(), None);
    }

    #[test]
    fn the_oldest_is_one_in_flight_or_one_that_was_let_go() {
        let before = |seconds| Some(NOON - time::Duration::seconds(seconds));
        assert_eq!(workers().oldest(true), before(90), "the paused worker has let it go, and it waits");
        assert_eq!(workers().oldest(false), before(10), "nothing waits: what was let go is done");
        let idle = Workers(vec![worker("w-1", 0, 10)]);
        assert_eq!((idle.oldest(true), idle.oldest(false)), (before(10), None));
    }
}
