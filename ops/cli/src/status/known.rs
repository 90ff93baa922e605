//! What is known of everything at one moment.

use std::collections::BTreeMap;

use serde::Serialize;
use sluice_mysql::review::ReviewCounts;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::workers::{PausedWorkers, Workers};

/// What is known at one moment.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Status {
    /// When, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub(super) at: OffsetDateTime,
    /// The same on a clock that is never set.
    #[serde(skip)]
    pub(super) taken: Instant,
    /// The prefix of the names in RabbitMQ.
    pub(super) prefix: String,
    /// What workers wait for, if any of them does.
    pub(super) paused: Option<PausedWorkers>,
    /// The queue of posts; none when the broker is down.
    pub(super) queue: Option<Queue>,
    /// Who answered the worker-status request; none when the broker is down.
    pub(super) workers: Option<Workers>,
    /// The dead letters; none when the broker is down.
    pub(super) dead_letters: Option<Dead>,
    /// The rows; none when the database is down.
    pub(super) posts: Option<Posts>,
    /// What waits for people, and for the forum; none when the database is down.
    pub(super) review: Option<ReviewCounts>,
    /// How fast it moves; none in a first sample.
    pub(super) rates: Option<Rates>,
    /// What could not be asked.
    pub(super) unreachable: Vec<Unreachable>,
}

/// The queue of posts.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Queue {
    /// Its name.
    pub(super) name: String,
    /// Posts waiting. Those in flight are not among them.
    pub(super) ready: u32,
    /// Consumers.
    pub(super) consumers: u32,
    /// Posts in the hands of those workers that answered.
    pub(super) in_flight: u32,
    /// When the oldest post that is not settled was submitted, as far as a worker has seen it: none waits that is
    /// older.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(super) oldest_submitted_at: Option<OffsetDateTime>,
    /// How long ago that is.
    pub(super) oldest_age_seconds: Option<i64>,
}

/// The dead letters.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Dead {
    /// The queue's name.
    pub(super) name: String,
    /// How many there are.
    pub(super) ready: u32,
    /// How many of each class; none when they were not looked at.
    pub(super) by_class: Option<BTreeMap<&'static str, u32>>,
    /// How many failed within the last hour; none when they were not looked at.
    pub(super) last_hour: Option<usize>,
    /// When the oldest failed last, as far as dead letters say.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(super) oldest_failed_at: Option<OffsetDateTime>,
    /// How long ago that is.
    pub(super) oldest_age_seconds: Option<i64>,
    /// Why they were not looked at.
    pub(super) note: Option<String>,
}

/// The rows.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Posts {
    /// All of them.
    pub(super) total: u64,
    /// Whether they were counted; else `total` is InnoDB's estimate.
    pub(super) exact: bool,
    /// How many have each verdict; none where they were not counted.
    pub(super) by_verdict: Option<BTreeMap<&'static str, u64>>,
    /// Where they were not counted: how many of the thousand with the highest ids, mostly the latest, have each
    /// verdict.
    pub(super) sample: Option<BTreeMap<&'static str, u64>>,
}

/// What could not be asked.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Unreachable {
    /// `RabbitMQ`, `MySQL`, `dead letters` or `review`.
    pub(super) what: &'static str,
    /// The first of the samples in a row that could not ask it, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub(super) since: OffsetDateTime,
    /// Why.
    pub(super) problem: String,
}

/// How fast posts move. What is unknown is none: a server that was unreachable in either sample, a program that
/// consumes and does not answer.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Rates {
    /// The time between the two samples.
    pub(super) over_seconds: f64,
    /// Posts that came into the queue: by how much it grew, and what left it through the workers.
    pub(super) accepted_per_second: Option<f64>,
    /// New rows, counted; where the table is too large to be counted or MySQL is unreachable, what the workers say.
    pub(super) recorded_per_second: Option<f64>,
    /// Posts waiting, more or fewer.
    pub(super) queue_growth_per_second: Option<f64>,
    /// Each worker of the later sample, in its order.
    pub(super) workers: Vec<WorkerRate>,
}

/// What one worker did between two samples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct WorkerRate {
    /// Its name.
    pub(super) worker: String,
    /// Its process id.
    pub(super) pid: u32,
    /// Posts that it stored and acknowledged; none in the first sample in which it answers.
    pub(super) stored_per_second: Option<f64>,
    /// Its part of what all workers stored, from 0 to 1; none when they stored nothing.
    pub(super) share: Option<f64>,
}
