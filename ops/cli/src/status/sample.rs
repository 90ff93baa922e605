//! One sample of everything.

use sluice_core::config::{BrokerArgs, DatabaseArgs};
use sluice_core::failure::Failure;
use sluice_mysql::{ByVerdict, Store, Stored};
use sluice_rabbit::dead_letters::BrowseError;
use sluice_rabbit::topology::Depth;
use time::OffsetDateTime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::dead::{Look, Seen};
use super::known::{Dead, Posts, Queue, Review, Status, Unreachable};
use super::workers::Workers;
use crate::browse::DeadLetters;
use crate::depths::Depths;
use crate::members::Management;

/// Takes samples.
pub(crate) struct Sampler {
    dead: DeadLetters,
    store: Store,
    management: Option<Management>,
    look: Look,
    /// Whether to count the posts even if there are many.
    exact: bool,
    /// The last result of browsing, and the number of dead letters then: reused as long as that number stays the same.
    seen: Option<(u32, Seen)>,
}

impl Sampler {
    /// A sampler of these places. Nothing is opened yet.
    ///
    /// # Errors
    /// When a setting is wrong.
    pub(crate) fn new(
        broker: &BrokerArgs,
        database: &DatabaseArgs,
        look: Look,
        exact: bool,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let dead = DeadLetters::briefly(broker, "status", stop)?;
        Ok(Self { dead, store: Store::new(database)?, management: None, look, exact, seen: None })
    }

    /// The same, with a look at the cluster.
    pub(crate) fn with(self, management: Option<Management>) -> Self {
        Self { management, ..self }
    }

    /// The prefix of the names in RabbitMQ.
    pub(crate) fn prefix(&self) -> &str {
        &self.dead.prefix
    }

    /// Whether to count the posts even if there are many.
    pub(crate) fn is_exact(&self) -> bool {
        self.exact
    }

    async fn posts(&self) -> Result<Posts, Failure> {
        let stored = if self.exact {
            self.store.count_by_verdict().await.map(Stored::Exactly)
        } else {
            self.store.stored().await
        };
        Ok(Posts::new(&stored?, self.store.pruned_total().await?))
    }

    async fn review(&self) -> Result<Review, Failure> {
        let (counts, time_to_decision) = tokio::try_join!(self.store.review_counts(), self.store.time_to_decision())?;
        Ok(Review { counts, time_to_decision })
    }

    /// Takes one.
    pub(crate) async fn take(&mut self) -> Status {
        let depths = Depths::ask(&self.dead.broker, &self.dead.topology);
        let workers = Workers::call(&self.dead.broker, &self.dead.topology);
        let (depths, rows, review, workers, cluster) =
            tokio::join!(depths, self.posts(), self.review(), workers, self.cluster());
        let (at, taken) = (OffsetDateTime::now_utc(), Instant::now());
        let mut unreachable = Vec::new();
        let mut note = |what, problem: String| unreachable.push(Unreachable { what, since: at, problem });
        let depths = depths.map_err(|problem| note("RabbitMQ", problem.to_string())).ok();
        let cluster = cluster.map_err(|problem| note("cluster", format!("{problem:#}"))).unwrap_or_default();
        let posts = match rows {
            Ok(posts) => Some(posts),
            Err(failure) => {
                note("MySQL", self.store.with_context(failure).to_string());
                None
            }
        };
        let review = match review {
            Ok(review) => Some(review),
            // One line for MySQL is enough.
            Err(_) if posts.is_none() => None,
            Err(failure) => {
                note("review", self.store.with_context(failure).to_string());
                None
            }
        };
        let mut dead_letters = None;
        if let Some(Depths { dead, .. }) = depths {
            let (found, problem) = self.dead_letters(dead, at).await;
            if let Some(problem) = problem {
                note("dead letters", problem);
            }
            dead_letters = Some(found);
        }
        let topology = &self.dead.topology;
        // If the broker is down, the depths have already reported it.
        let workers = workers.ok();
        let queue = depths.map(|Depths { posts, .. }| Queue::new(topology.queue(), posts, workers.as_ref(), at));
        let paused = workers.as_ref().and_then(Workers::paused);
        let prefix = self.dead.prefix.clone();
        let rates = None;
        Status { at, taken, prefix, paused, queue, workers, dead_letters, posts, review, cluster, rates, unreachable }
    }

    /// What is wrong with the cluster; nothing where nobody is to be asked.
    async fn cluster(&self) -> anyhow::Result<Vec<String>> {
        match &self.management {
            Some(management) => Ok(management.ask().await?.problems()),
            None => Ok(Vec::new()),
        }
    }

    async fn dead_letters(&mut self, depth: Depth, now: OffsetDateTime) -> (Dead, Option<String>) {
        let mut note = self.look.refuses(depth.ready);
        let mut problem = None;
        let same = self.seen.as_ref().is_some_and(|(dead_letters, _)| *dead_letters == depth.ready);
        if note.is_none() && !same {
            self.seen = match Seen::look(&self.dead).await {
                Ok(seen) => Some((depth.ready, seen)),
                Err(error) if matches!(error.downcast_ref(), Some(BrowseError::Busy { .. })) => {
                    note = Some("another client has dead letters in flight, which are not counted".to_owned());
                    None
                }
                Err(error) => {
                    note = Some("they could not be browsed".to_owned());
                    problem = Some(format!("{error:#}"));
                    None
                }
            };
        }
        let name = self.dead.topology.dead_letter_queue();
        let mut dead = Dead { note, ..Dead::counted(name, depth.ready) };
        if let Some((_, seen)) = self.seen.as_ref().filter(|_| dead.note.is_none()) {
            dead.ready = seen.total();
            dead.see(seen, now);
        }
        (dead, problem)
    }

    /// Ends the connections.
    pub(crate) async fn close(&self) {
        self.store.close().await;
    }
}

impl Queue {
    pub(crate) fn new(name: String, depth: Depth, workers: Option<&Workers>, now: OffsetDateTime) -> Self {
        let Depth { ready, consumers } = depth;
        let oldest = workers.and_then(|workers| workers.oldest(ready > 0));
        Self {
            name,
            ready,
            consumers,
            in_flight: workers.map_or(0, Workers::in_flight),
            oldest_submitted_at: oldest,
            oldest_age_seconds: oldest.map(|at| (now - at).whole_seconds().max(0)),
        }
    }
}

impl Dead {
    fn counted(name: String, ready: u32) -> Self {
        Self {
            name,
            ready,
            by_class: None,
            last_hour: None,
            oldest_failed_at: None,
            oldest_age_seconds: None,
            note: None,
        }
    }

    /// Adds what was seen by browsing them, then or now.
    pub(crate) fn see(&mut self, seen: &Seen, now: OffsetDateTime) {
        self.by_class = Some(seen.by_class.iter().map(|(class, count)| (class.as_str(), *count)).collect());
        self.last_hour = Some(seen.last_hour(now));
        self.oldest_failed_at = seen.oldest;
        self.oldest_age_seconds = seen.oldest.map(|at| (now - at).whole_seconds());
        self.note = None;
    }
}

impl Posts {
    /// All rows that there ever were.
    pub(crate) fn ever(&self) -> u64 {
        self.total + self.pruned
    }

    /// What is stored, and how many were pruned.
    pub(crate) fn new(stored: &Stored, pruned: u64) -> Self {
        let named = |rows: &ByVerdict| rows.iter().map(|(verdict, count)| (verdict.as_str(), *count)).collect();
        match stored {
            Stored::Exactly(rows) => {
                let total = rows.iter().map(|(_, count)| count).sum();
                Self { total, exact: true, by_verdict: Some(named(rows)), sample: None, pruned }
            }
            Stored::About { rows, sample } => {
                Self { total: *rows, exact: false, by_verdict: None, sample: Some(named(sample)), pruned }
            }
        }
    }
}
