//! One sample of everything.

use std::collections::BTreeMap;

use serde::Serialize;
use sluice_core::config::{BrokerArgs, DatabaseArgs};
use sluice_core::failure::Failure;
use sluice_mysql::{ByVerdict, Store, Stored};
use sluice_rabbit::delivery::LetterError;
use sluice_rabbit::topology::Depth;
use time::OffsetDateTime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::crew::{Crew, PausedCrew};
use super::dead::{Look, Seen};
use super::rates::Rates;
use crate::browse::DeadLetters;
use crate::depths::Depths;

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
    pub(super) paused: Option<PausedCrew>,
    /// The queue of posts; none when the broker is away.
    pub(super) queue: Option<Queue>,
    /// Who answered the roll call; none when the broker is away.
    pub(super) workers: Option<Crew>,
    /// The dead letters; none when the broker is away.
    pub(super) dead_letters: Option<Dead>,
    /// The rows; none when the database is away.
    pub(super) posts: Option<Posts>,
    /// How fast it moves; none in a first sample.
    pub(super) rates: Option<Rates>,
    /// What could not be asked.
    pub(super) away: Vec<Away>,
}

/// The queue of posts.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Queue {
    /// Its name.
    pub(super) name: String,
    /// Posts waiting. Those in a worker's hand are not among them.
    pub(super) ready: u32,
    /// Consumers.
    pub(super) consumers: u32,
    /// Posts in the hands of those workers that answered.
    pub(super) in_hand: u32,
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
    /// When the oldest failed last, as far as letters say.
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
    /// Where they were not counted: how many of the thousand with the highest ids, mostly the latest, have each verdict.
    pub(super) sample: Option<BTreeMap<&'static str, u64>>,
}

/// What could not be asked.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Away {
    /// `RabbitMQ`, `MySQL` or `dead letters`.
    pub(super) what: &'static str,
    /// The first of the samples in a row that could not ask it, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub(super) since: OffsetDateTime,
    /// Why.
    pub(super) problem: String,
}

/// Takes samples.
pub(super) struct Sampler {
    dead: DeadLetters,
    store: Store,
    look: Look,
    /// Whether the posts are counted however many there are.
    exact: bool,
    /// The last look and the number of letters then: as long as that stays, so does what was seen.
    seen: Option<(u32, Seen)>,
}

impl Sampler {
    /// A sampler of these places. Nothing is opened yet.
    ///
    /// # Errors
    /// When a setting is wrong.
    pub(super) fn new(
        broker: &BrokerArgs,
        database: &DatabaseArgs,
        look: Look,
        exact: bool,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let dead = DeadLetters::briefly(broker, "status", stop)?;
        Ok(Self { dead, store: Store::new(database)?, look, exact, seen: None })
    }

    /// How the names in RabbitMQ begin.
    pub(super) fn prefix(&self) -> &str {
        &self.dead.prefix
    }

    /// Whether the posts are counted however many there are.
    pub(super) fn is_exact(&self) -> bool {
        self.exact
    }

    async fn posts(&self) -> Result<Stored, Failure> {
        if self.exact { self.store.count_by_verdict().await.map(Stored::Exactly) } else { self.store.stored().await }
    }

    /// Takes one.
    pub(super) async fn take(&mut self) -> Status {
        let depths = Depths::ask(&self.dead.broker, &self.dead.topology);
        let crew = Crew::call(&self.dead.broker, &self.dead.topology);
        let (depths, rows, crew) = tokio::join!(depths, self.posts(), crew);
        let (at, taken) = (OffsetDateTime::now_utc(), Instant::now());
        let mut away = Vec::new();
        let mut note = |what, problem: String| away.push(Away { what, since: at, problem });
        let depths = depths.map_err(|problem| note("RabbitMQ", problem.to_string())).ok();
        let posts = match rows {
            Ok(rows) => Some(Posts::new(&rows)),
            Err(failure) => {
                note("MySQL", self.store.blame(failure).to_string());
                None
            }
        };
        let mut dead_letters = None;
        if let Some(Depths { dead, .. }) = depths {
            let (letters, problem) = self.dead_letters(dead, at).await;
            if let Some(problem) = problem {
                note("dead letters", problem);
            }
            dead_letters = Some(letters);
        }
        let topology = &self.dead.topology;
        // Where the broker is away, the depths have said so.
        let workers = crew.ok();
        let queue = depths.map(|Depths { posts, .. }| Queue::new(topology.queue(), posts, workers.as_ref(), at));
        let paused = workers.as_ref().and_then(Crew::paused);
        let prefix = self.dead.prefix.clone();
        Status { at, taken, prefix, paused, queue, workers, dead_letters, posts, rates: None, away }
    }

    async fn dead_letters(&mut self, depth: Depth, now: OffsetDateTime) -> (Dead, Option<String>) {
        let mut note = self.look.refuses(depth.ready);
        let mut problem = None;
        let same = self.seen.as_ref().is_some_and(|(letters, _)| *letters == depth.ready);
        if note.is_none() && !same {
            self.seen = match Seen::look(&self.dead).await {
                Ok(seen) => Some((depth.ready, seen)),
                Err(error) if matches!(error.downcast_ref(), Some(LetterError::Busy { .. })) => {
                    note = Some("somebody has dead letters in hand, which are not counted".to_owned());
                    None
                }
                Err(error) => {
                    note = Some("they could not be looked at".to_owned());
                    problem = Some(format!("{error:#}"));
                    None
                }
            };
        }
        let seen = if note.is_none() { self.seen.as_ref().map(|(_, seen)| seen) } else { None };
        let oldest = seen.and_then(|seen| seen.oldest);
        let dead = Dead {
            name: self.dead.topology.dead_letter_queue(),
            ready: seen.map_or(depth.ready, Seen::total),
            by_class: seen.map(|seen| seen.by_class.iter().map(|(class, count)| (class.as_str(), *count)).collect()),
            last_hour: seen.map(|seen| seen.last_hour(now)),
            oldest_failed_at: oldest,
            oldest_age_seconds: oldest.map(|at| (now - at).whole_seconds()),
            note,
        };
        (dead, problem)
    }

    /// Ends the connections.
    pub(super) async fn close(&self) {
        self.store.close().await;
    }
}

impl Queue {
    pub(super) fn new(name: String, depth: Depth, crew: Option<&Crew>, now: OffsetDateTime) -> Self {
        let Depth { ready, consumers } = depth;
        let oldest = crew.and_then(|crew| crew.oldest(ready > 0));
        Self {
            name,
            ready,
            consumers,
            in_hand: crew.map_or(0, Crew::in_hand),
            oldest_submitted_at: oldest,
            oldest_age_seconds: oldest.map(|at| (now - at).whole_seconds().max(0)),
        }
    }
}

impl Posts {
    pub(super) fn new(stored: &Stored) -> Self {
        let named = |rows: &ByVerdict| rows.iter().map(|(verdict, count)| (verdict.as_str(), *count)).collect();
        match stored {
            Stored::Exactly(rows) => {
                let total = rows.iter().map(|(_, count)| count).sum();
                Self { total, exact: true, by_verdict: Some(named(rows)), sample: None }
            }
            Stored::About { rows, sample } => {
                Self { total: *rows, exact: false, by_verdict: None, sample: Some(named(sample)) }
            }
        }
    }
}
