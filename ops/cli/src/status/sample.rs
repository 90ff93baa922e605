//! One sample of everything, and what two samples say together.

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
use crate::browse::DeadLetters;
use crate::depths::Depths;

/// More rows a second than anybody stores: an estimate was set anew in between.
const ESTIMATE_SET_ANEW: f64 = 200_000.0;

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

/// How fast it moves.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Rates {
    /// The time between the two samples.
    pub(super) over_seconds: f64,
    /// New rows a second.
    pub(super) recorded_per_second: Option<f64>,
    /// Posts waiting, more or fewer a second.
    pub(super) queue_growth_per_second: Option<f64>,
}

/// What could not be asked.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Away {
    /// `RabbitMQ`, `MySQL` or `dead letters`.
    pub(super) what: &'static str,
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

    /// Whether the posts are counted however many there are.
    pub(super) fn is_exact(&self) -> bool {
        self.exact
    }

    async fn posts(&self) -> Result<Stored, Failure> {
        if self.exact { self.store.count_by_verdict().await.map(Stored::Exactly) } else { self.store.stored().await }
    }

    /// Takes one.
    pub(super) async fn take(&mut self) -> Status {
        let mut away = Vec::new();
        let mut note = |what, problem: String| away.push(Away { what, problem });
        let depths = Depths::ask(&self.dead.broker, &self.dead.topology);
        let crew = Crew::call(&self.dead.broker, &self.dead.topology);
        let (depths, rows, crew) = tokio::join!(depths, self.posts(), crew);
        let (at, taken) = (OffsetDateTime::now_utc(), Instant::now());
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
    fn new(name: String, depth: Depth, crew: Option<&Crew>, now: OffsetDateTime) -> Self {
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
    fn new(stored: &Stored) -> Self {
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

impl Status {
    /// The same, with the rates since an earlier sample.
    #[must_use]
    pub(super) fn with_rates_since(mut self, earlier: &Self) -> Self {
        let over_seconds = (self.taken - earlier.taken).as_secs_f64();
        let per_second = |now: f64, then: f64| Some(((now - then) / over_seconds * 10.0).round() / 10.0);
        let recorded_per_second = match (&self.posts, &earlier.posts) {
            (Some(now), Some(then)) if now.exact == then.exact => {
                let speed = per_second(now.total as f64, then.total as f64);
                // An estimate that was set anew says nothing of the speed.
                speed.filter(|speed| now.exact || (0.0..ESTIMATE_SET_ANEW).contains(speed))
            }
            _ => None,
        };
        let queue_growth_per_second = match (&self.queue, &earlier.queue) {
            (Some(now), Some(then)) => per_second(now.ready.into(), then.ready.into()),
            _ => None,
        };
        self.rates = (over_seconds > 0.0).then_some(Rates {
            over_seconds: (over_seconds * 1000.0).round() / 1000.0,
            recorded_per_second,
            queue_growth_per_second,
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_core::verdict::Verdict;
    use std::time::Duration;

    fn status(taken: Instant, ready: Option<u32>, rows: Option<u64>) -> Status {
        Status {
            at: OffsetDateTime::UNIX_EPOCH,
            taken,
            prefix: "post".to_owned(),
            paused: None,
            queue: ready.map(|ready| {
                Queue::new("post_queue".to_owned(), Depth { ready, consumers: 0 }, None, OffsetDateTime::UNIX_EPOCH)
            }),
            workers: None,
            dead_letters: None,
            posts: rows.map(|rows| Posts::new(&Stored::Exactly(vec![(Verdict::Approved, rows)]))),
            rates: None,
            away: Vec::new(),
        }
    }

    fn rates(from: (Option<u32>, Option<u64>), to: (Option<u32>, Option<u64>), apart: Duration) -> Rates {
        let begun = Instant::now();
        let later = status(begun + apart, to.0, to.1).with_rates_since(&status(begun, from.0, from.1));
        later.rates.expect("time has passed")
    }

    #[test]
    fn rates_are_differences_by_the_time_between() {
        let rates = rates((Some(100), Some(1000)), (Some(40), Some(1500)), Duration::from_secs(2));
        assert_eq!((rates.recorded_per_second, rates.queue_growth_per_second), (Some(250.0), Some(-30.0)));
    }

    #[test]
    fn what_was_away_in_either_sample_has_no_rate() {
        let rates = rates((None, Some(10)), (Some(5), None), Duration::from_secs(1));
        assert_eq!((rates.recorded_per_second, rates.queue_growth_per_second), (None, None));
    }
}
