//! The task of one endpoint: takes what is due under a lease, sends it, and notes what came of it.
//!
//! Several consoles may run: a lease keeps them from sending one event at the same time, and one that was killed is
//! replaced when its leases end. What was sent twice all the same is harmless by the receiver's rule.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sluice_core::failure::Failure;
use sluice_mysql::Store;
use sluice_mysql::review::{Delivery, Failed};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::meters;
use super::outage::Outage;
use super::sink::{Outcome, Sink};
use super::waits::Waits;

/// How many deliveries are under way at once, of one endpoint.
const AT_ONCE: usize = 16;
/// How long a delivery belongs to the sender that took it. Longer than a try and the noting of its outcome.
const LEASE: Duration = Duration::from_secs(30);
/// The time between two looks for what is due.
const LOOK: Duration = Duration::from_millis(500);
/// How long an outcome is tried to be noted. After that the lease ends, and the event is sent once more.
const NOTING: Duration = Duration::from_secs(12);
/// How long deliveries under way may take after the signal to stop. What is left is left to its lease.
const FINISHING: Duration = Duration::from_secs(4);
/// How many pages of new events are made deliveries of before what is due is looked at.
const PAGES: usize = 10;
/// The longest wait that an endpoint may ask for: as long as the longest of our own.
const RETRY_AFTER_MOST: Duration = Duration::from_secs(6 * 3600);
/// Who pauses an endpoint that says it is there no more.
const GONE: &str = "410 Gone";

/// What the task needs.
pub(super) struct Dispatch {
    store: Arc<Store>,
    name: String,
    sink: Sink,
    waits: Arc<Waits>,
    owner: Uuid,
    /// The endpoint does not take events.
    refusing: Outage,
    /// The database cannot be used.
    blind: Outage,
    paused: AtomicBool,
}

impl Dispatch {
    /// A task for this endpoint; `owner` is this process.
    pub(super) fn new(store: Arc<Store>, name: String, sink: Sink, waits: Arc<Waits>, owner: Uuid) -> Arc<Self> {
        let (refusing, blind) = (Outage::default(), Outage::default());
        Arc::new(Self { store, name, sink, waits, owner, refusing, blind, paused: AtomicBool::new(false) })
    }

    /// Sends until the end.
    pub(super) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut under_way = JoinSet::new();
        while !stop.is_cancelled() {
            match self.due(AT_ONCE - under_way.len()).await {
                Ok(deliveries) => {
                    if self.blind.is_over() {
                        tracing::info!(endpoint = self.name, "decisions are sent again");
                    }
                    for delivery in deliveries {
                        under_way.spawn(Arc::clone(&self).deliver(delivery));
                    }
                }
                Err(failure) if self.blind.has_begun() => {
                    let error = self.store.with_context(failure);
                    tracing::warn!(endpoint = self.name, %error, "no decisions are sent while the database is unusable");
                }
                Err(_) => {}
            }
            tokio::select! {
                () = stop.cancelled() => break,
                // The next event of the same post may be due now.
                Some(_) = under_way.join_next(), if !self.blind.lasts() => while under_way.try_join_next().is_some() {},
                () = tokio::time::sleep(LOOK) => while under_way.try_join_next().is_some() {},
            }
        }
        let finished = async { while under_way.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(FINISHING, finished).await;
    }

    /// Takes what is due, at most so many.
    async fn due(&self, limit: usize) -> Result<Vec<Delivery>, Failure> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let known = self.store.endpoints().await?.into_iter().find(|endpoint| endpoint.name == self.name);
        let Some(endpoint) = known else {
            self.store.add_endpoint(&self.name).await?;
            tracing::info!(endpoint = self.name, "the endpoint is new; events from now on are sent to it");
            return Ok(Vec::new());
        };
        for _ in 0..PAGES {
            if self.store.enqueue_deliveries(&self.name).await? == 0 {
                break;
            }
        }
        let paused = endpoint.paused_at.is_some();
        if self.paused.swap(paused, Ordering::Relaxed) != paused {
            match paused {
                true => tracing::warn!(endpoint = self.name, "the endpoint is paused; nothing is sent to it"),
                false => tracing::info!(endpoint = self.name, "the endpoint is not paused any more"),
            }
        }
        if paused {
            return Ok(Vec::new());
        }
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        self.store.due_deliveries(&self.name, self.owner, limit, LEASE).await
    }

    async fn deliver(self: Arc<Self>, delivery: Delivery) {
        let outcome = self.sink.send(&delivery).await;
        self.tell(&outcome);
        let noted = async {
            while let Err(failure) = self.note(&delivery, &outcome).await {
                tracing::debug!(endpoint = self.name, decision = %delivery.decision, %failure, "an outcome is not noted yet");
                tokio::time::sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(NOTING, noted).await.is_err() {
            tracing::warn!(
                endpoint = self.name,
                decision = %delivery.decision,
                "what came of a delivery could not be noted in the database; it will be sent once more"
            );
        }
    }

    async fn note(&self, delivery: &Delivery, outcome: &Outcome) -> Result<(), Failure> {
        let (name, decision, owner) = (self.name.as_str(), delivery.decision, self.owner);
        match outcome {
            Outcome::Taken(status) => self.store.delivered(name, decision, *status).await,
            Outcome::Failed { status, error, refused, retry_after } => {
                let wait = self.waits.after(delivery.attempts, *refused, fastrand::f64());
                let again_in = wait.max(retry_after.unwrap_or_default().min(RETRY_AFTER_MOST));
                let failed = Failed { status: *status, error, again_in };
                self.store.delivery_failed(name, decision, owner, &failed).await
            }
            Outcome::Gone => {
                // Paused first: what is due the moment somebody goes on must not be sent before.
                self.store.pause_endpoint(name, Some(GONE)).await?;
                let failed = Failed { status: Some(410), error: "it answered 410", again_in: Duration::ZERO };
                self.store.delivery_failed(name, decision, owner, &failed).await
            }
        }
    }

    /// Counts an outcome, and says when it is the first of its kind.
    fn tell(&self, outcome: &Outcome) {
        match outcome {
            Outcome::Taken(_) => {
                meters::delivered(&self.name);
                if self.refusing.is_over() {
                    tracing::info!(endpoint = self.name, "the endpoint takes events again");
                }
            }
            Outcome::Failed { error, refused, .. } => {
                meters::failed(&self.name);
                if self.refusing.has_begun() {
                    tracing::warn!(
                        endpoint = self.name,
                        error,
                        refused,
                        "the endpoint does not take events; they are sent again later"
                    );
                }
            }
            Outcome::Gone => {
                meters::failed(&self.name);
                tracing::warn!(
                    endpoint = self.name,
                    "the endpoint answered 410 Gone and is paused; once it is there again: sluice decisions resume"
                );
            }
        }
    }
}
