//! Monitors the broker while the HTTP API runs: whether it accepts posts, since when it does not, and whether the
//! queues still exist.
//!
//! ```text
//!            declared                          a check fails, or a post was not accepted
//!  pursue ─────────────► up ─────────────────────────────────────────────────────────► away
//!    ▲                   ▲     checked every second; the queues are declared again       │
//!    │ drift             └───────────────────────────────────────────────────────────────┘
//!    └─── queues that are declared differently: no posts are accepted until an operator has fixed them
//! ```
//!
//! No request waits for this: each post is published whatever the state here, so that no post is refused because of an
//! outage that is over. The state is for people and for `/metrics`. Changes are logged when an outage begins and ends,
//! at most once a second.
//!
//! After each outage the queues are declared again, as workers do at each new session: a broker may come back empty,
//! and somebody may delete a queue. Its contents are lost, but no operator needs to run a command before posts are
//! accepted.

use std::time::Duration;

use sluice_rabbit::broker::Broker;
use sluice_rabbit::publisher::{PublishError, Publisher};
use sluice_rabbit::topology::{Topology, TopologyError};
use time::OffsetDateTime;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::http::meters::BrokerMeters;
use crate::http::problem;
use crate::topology_status::{self, DeclareError, TopologyStatus};

/// How often the broker is checked.
const EVERY: Duration = Duration::from_secs(1);
/// How often the queues are compared with their declaration, in checks.
const COMPARE: u32 = 5;
/// How often a lasting outage is logged again.
const REMIND: Duration = Duration::from_secs(30);

/// Reports of posts that were not accepted. A full channel loses nothing: one report is as good as a thousand.
#[derive(Debug, Clone)]
pub struct Reports(mpsc::Sender<PublishError>);

impl Reports {
    /// A post was not accepted, for this reason.
    pub fn report(&self, error: &PublishError) {
        if *error != PublishError::Full {
            let _ = self.0.try_send(error.clone());
        }
    }
}

/// Monitors the broker as long as the program runs.
pub struct Watch {
    broker: Broker,
    topology: Topology,
    publisher: Publisher,
    topology_status: watch::Sender<TopologyStatus>,
    reports: mpsc::Receiver<PublishError>,
    meters: BrokerMeters,
    away: Option<Away>,
    /// When the full queue was last logged.
    full: Option<Instant>,
    looks: u32,
    next_look: Instant,
    /// When the next line may be logged.
    quiet_until: Instant,
}

/// The broker accepts no posts.
struct Away {
    since: OffsetDateTime,
    begun: Instant,
    /// The name of the last logged reason, and when.
    said: (&'static str, Instant),
}

impl Watch {
    /// A watch that begins with this standing, and where to report to it.
    #[must_use]
    pub fn new(
        broker: Broker,
        topology: Topology,
        publisher: Publisher,
        topology_status: watch::Sender<TopologyStatus>,
    ) -> (Self, Reports) {
        let (report, reports) = mpsc::channel(1);
        let (meters, now) = (BrokerMeters::new(), Instant::now());
        let watch = Self {
            broker,
            topology,
            publisher,
            topology_status,
            reports,
            meters,
            away: None,
            full: None,
            looks: 0,
            next_look: now,
            quiet_until: now,
        };
        (watch, Reports(report))
    }

    /// Watches.
    pub async fn keep(mut self) {
        loop {
            let declared = *self.topology_status.borrow() == TopologyStatus::Declared;
            if !declared {
                self.meters.up(false);
                topology_status::pursue(&self.broker, &self.topology, &self.topology_status).await;
                self.away = None;
            }
            self.meters.up(self.away.is_none());
            let (quiet, next_look) = (self.quiet_until, self.next_look.max(self.quiet_until));
            let report = async {
                tokio::time::sleep_until(quiet).await;
                self.reports.recv().await
            };
            let report = tokio::select! {
                () = tokio::time::sleep_until(next_look) => None,
                report = report, if self.away.is_none() => report,
            };
            match report {
                None => self.look().await,
                Some(report) => self.gone(&report),
            }
        }
    }

    async fn look(&mut self) {
        self.next_look = Instant::now() + EVERY;
        let seen = self.publisher.ready().await;
        if self.away.is_some() {
            // This check has replaced all reports until now.
            while self.reports.try_recv().is_ok() {}
        }
        self.looks += 1;
        match seen {
            Ok(()) if self.away.is_none() && !self.looks.is_multiple_of(COMPARE) => {}
            Ok(()) => self.declare(false).await,
            Err(PublishError::Unroutable(_)) => self.declare(true).await,
            Err(PublishError::Full) if self.away.is_some() => self.declare(false).await,
            Err(PublishError::Full) => self.full(),
            Err(error) => self.gone(&error),
        }
    }

    /// The broker answers: are the queues there, and ours? `missing`: they are known not to be all there.
    async fn declare(&mut self, missing: bool) {
        match self.publisher.declare().await {
            Ok(()) => self.back(missing),
            Err(TopologyError::Failed(failure)) => {
                self.gone(&PublishError::Unreachable(self.broker.with_context(failure)))
            }
            Err(drift @ TopologyError::Drift(_)) => {
                let error = DeclareError::Topology(drift);
                error.log();
                self.topology_status.send_replace(TopologyStatus::Refused(error));
            }
        }
    }

    fn gone(&mut self, error: &PublishError) {
        let (reason, now) = (problem::name(error), Instant::now());
        let Some(away) = &mut self.away else {
            tracing::warn!(reason, %error, "RabbitMQ accepts no posts; requests get 503");
            self.meters.outage(reason);
            self.said();
            self.away = Some(Away { since: OffsetDateTime::now_utc(), begun: now, said: (reason, now) });
            return;
        };
        if away.said.0 != reason || away.said.1.elapsed() >= REMIND {
            let seconds = away.begun.elapsed().as_secs();
            tracing::warn!(reason, %error, since = %away.since, seconds, "RabbitMQ still accepts no posts");
            away.said = (reason, now);
            self.said();
        }
    }

    fn back(&mut self, missing: bool) {
        match self.away.take() {
            Some(Away { since, begun, .. }) => {
                let seconds = begun.elapsed().as_secs_f64();
                tracing::info!(%since, seconds, "RabbitMQ accepts posts again");
            }
            None if missing => tracing::warn!(
                queue = self.topology.queue(),
                "queues were missing and have been declared again; `sluice verify` shows what was lost with them"
            ),
            None => return,
        }
        self.said();
    }

    fn full(&mut self) {
        if self.full.is_none_or(|said| said.elapsed() >= REMIND) {
            tracing::warn!(queue = self.topology.queue(), "the queue is full; posts get 503");
            self.full = Some(Instant::now());
            self.said();
        }
    }

    fn said(&mut self) {
        self.quiet_until = Instant::now() + EVERY;
    }
}
