//! The state at one moment.

use std::collections::BTreeMap;

use serde::Serialize;
use sluice_mysql::review::{ReviewCounts, TimeToDecision};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::workers::{PausedWorkers, Workers};

/// What is known at one moment.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Status {
    /// When, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: OffsetDateTime,
    /// The same on a clock that is never set.
    #[serde(skip)]
    pub(crate) taken: Instant,
    /// The prefix of the names in RabbitMQ.
    pub(crate) prefix: String,
    /// What workers wait for, if any of them does.
    pub(crate) paused: Option<PausedWorkers>,
    /// The queue of posts; none when the broker is down.
    pub(crate) queue: Option<Queue>,
    /// Who answered the worker-status request; none when the broker is down.
    pub(crate) workers: Option<Workers>,
    /// The dead letters; none when the broker is down.
    pub(crate) dead_letters: Option<Dead>,
    /// The rows; none when the database is down.
    pub(crate) posts: Option<Posts>,
    /// What waits for people, and for the forum; none when the database is down.
    pub(crate) review: Option<Review>,
    /// What is wrong with the nodes and the queues' members on them; none where nobody was asked.
    pub(crate) cluster: Vec<String>,
    /// How fast it moves; none in a first sample.
    pub(crate) rates: Option<Rates>,
    /// What could not be queried.
    pub(crate) unreachable: Vec<Unreachable>,
}

/// The queue of posts.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Queue {
    /// Its name.
    pub(crate) name: String,
    /// Posts waiting. Those in flight are not among them.
    pub(crate) ready: u32,
    /// Consumers.
    pub(crate) consumers: u32,
    /// Posts in flight at the workers that answered.
    pub(crate) in_flight: u32,
    /// When the oldest post that is not settled was submitted, as far as a worker has seen it: none waits that is
    /// older.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) oldest_submitted_at: Option<OffsetDateTime>,
    /// How long ago that is.
    pub(crate) oldest_age_seconds: Option<i64>,
}

/// The dead letters.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Dead {
    /// The queue's name.
    pub(crate) name: String,
    /// How many there are.
    pub(crate) ready: u32,
    /// How many of each class; none when they were not looked at.
    pub(crate) by_class: Option<BTreeMap<&'static str, u32>>,
    /// How many failed within the last hour; none when they were not looked at.
    pub(crate) last_hour: Option<usize>,
    /// When the oldest failed last, as far as dead letters say.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) oldest_failed_at: Option<OffsetDateTime>,
    /// How long ago that is.
    pub(crate) oldest_age_seconds: Option<i64>,
    /// Why they were not looked at.
    pub(crate) note: Option<String>,
}

/// The rows.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Posts {
    /// All of them.
    pub(crate) total: u64,
    /// Whether they were counted; else `total` is InnoDB's estimate.
    pub(crate) exact: bool,
    /// How many have each verdict; none where they were not counted.
    pub(crate) by_verdict: Option<BTreeMap<&'static str, u64>>,
    /// How many `sluice prune` has deleted so far; they are not in `total`.
    pub(crate) pruned: u64,
    /// Where they were not counted: how many of the thousand with the highest ids, mostly the latest, have each
    /// verdict.
    pub(crate) sample: Option<BTreeMap<&'static str, u64>>,
}

/// People's review.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Review {
    /// What waits.
    #[serde(flatten)]
    pub(crate) counts: ReviewCounts,
    /// How long decisions took lately.
    pub(crate) time_to_decision: TimeToDecision,
}

/// What could not be queried.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Unreachable {
    /// `RabbitMQ`, `cluster`, `MySQL`, `dead letters` or `review`.
    pub(crate) what: &'static str,
    /// The first of the samples in a row that could not ask it, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) since: OffsetDateTime,
    /// Why.
    pub(crate) problem: String,
}

/// How fast posts move. What is unknown is none: a server that was unreachable in either sample, a program that
/// consumes and does not answer.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Rates {
    /// The time between the two samples.
    pub(crate) over_seconds: f64,
    /// Posts that came into the queue: by how much it grew, and what left it through the workers.
    pub(crate) accepted_per_second: Option<f64>,
    /// New rows, counted, those that were pruned in the meantime included; where the table is too large to be counted or MySQL is unreachable, what the workers say.
    pub(crate) recorded_per_second: Option<f64>,
    /// Posts waiting, more or fewer.
    pub(crate) queue_growth_per_second: Option<f64>,
    /// Each worker of the later sample, in its order.
    pub(crate) workers: Vec<WorkerRate>,
}

/// What one worker did between two samples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct WorkerRate {
    /// Its name.
    pub(crate) worker: String,
    /// Its process id.
    pub(crate) pid: u32,
    /// Posts that it stored and acknowledged; none in the first sample in which it answers.
    pub(crate) stored_per_second: Option<f64>,
    /// Its part of what all workers stored, from 0 to 1; none when they stored nothing.
    pub(crate) share: Option<f64>,
}
