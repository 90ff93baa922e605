//! What this process reports about itself: to worker-status requests, and at `/readyz`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sluice_rabbit::worker_status::{
    OutsideReviewer, Paused, RulesInForce, RulesRefused, ScorerInForce, State, WorkerStatus,
};
use sluice_review::reviewer::Reviewer;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::gate::Gate;
use crate::in_flight::InFlight;
use crate::rules::{ActiveRules, Refusal, Rules};
use crate::settled::Settled;

/// The parts that know what this process is doing.
#[derive(Clone)]
pub struct StatusSource {
    /// Its name.
    pub worker: String,
    /// The rules it reviews by.
    pub rules: Arc<Rules>,
    /// The outside reviewer, if there is one.
    pub reviewer: Option<Arc<Reviewer>>,
    /// When it was started, UTC.
    pub started_at: OffsetDateTime,
    /// Closed while posts cannot be stored.
    pub gate: Arc<Gate>,
    /// Whether a session is open.
    pub consuming: Arc<AtomicBool>,
    /// How many consumers a session has.
    pub consumers: u16,
    /// The posts in flight.
    pub in_flight: Arc<InFlight>,
    /// The counts of settled posts.
    pub settled: Arc<Settled>,
    /// Cancelled when the process must stop.
    pub stop: CancellationToken,
}

impl StatusSource {
    /// What it is doing at this moment.
    #[must_use]
    pub fn say(&self) -> WorkerStatus {
        let pause = self.gate.pause();
        let consuming = self.consuming.load(Ordering::Relaxed);
        let active = self.rules.active();
        let state = match (&pause, consuming) {
            _ if self.stop.is_cancelled() => State::Stopping,
            (Some(_), _) => State::Paused,
            (None, true) => State::Consuming,
            (None, false) => State::Connecting,
        };
        WorkerStatus {
            worker: self.worker.clone(),
            pid: std::process::id(),
            version: sluice_core::VERSION.to_owned(),
            ruleset: active.judge.id().to_owned(),
            started_at: self.started_at,
            state,
            paused: pause.map(|pause| Paused {
                dependency: pause.dependency.to_owned(),
                since: pause.since,
                code: pause.failure.code,
                message: pause.failure.message,
            }),
            consumers: if consuming { self.consumers.into() } else { 0 },
            in_flight: self.in_flight.count(),
            stored: self.settled.stored(),
            dead_lettered: self.settled.dead_lettered(),
            oldest_submitted_at: self.in_flight.oldest(),
            rules: Some(RulesInForce { since: active.since, refused: active.refused.clone().map(refused) }),
            scorer: scorer(&active),
            reviewer: self.reviewer.as_deref().map(circuit),
        }
    }
}

fn scorer(active: &ActiveRules) -> Option<ScorerInForce> {
    let scorer = active.judge.scorer()?;
    Some(ScorerInForce {
        id: scorer.id().to_owned(),
        since: active.scorer_since,
        in_shadow: scorer.in_shadow().map(str::to_owned),
        refused: active.scorer_refused.clone().map(refused),
    })
}

fn refused(Refusal { at, why }: Refusal) -> RulesRefused {
    RulesRefused { at, why }
}

fn circuit(reviewer: &Reviewer) -> OutsideReviewer {
    let (circuit, open) = reviewer.circuit();
    let (since, why) = open.map(|(since, trouble)| (since, format!("{}: {trouble}", trouble.code()))).unzip();
    OutsideReviewer { circuit: circuit.as_str().to_owned(), since, why }
}
