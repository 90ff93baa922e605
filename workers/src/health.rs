//! The worker's HTTP endpoints: liveness, readiness and metrics.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use sluice_rabbit::worker_status::{State, WorkerStatus};
use sluice_runtime::health::{self, Metrics};
use time::format_description::well_known::Rfc3339;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::gate::Gate;
use crate::worker_status::StatusSource;

/// Connections that may be open: far more than a few supervisors and scrapers need.
const CONNECTIONS: usize = 256;

/// The port and the pages.
pub struct Health {
    listener: TcpListener,
    routes: Router,
}

impl Health {
    /// Opens the port. A worker is ready when it consumes posts and can store them.
    ///
    /// # Errors
    /// When the port cannot be opened.
    pub async fn prepare(address: SocketAddr, metrics: Metrics, status: StatusSource) -> anyhow::Result<Self> {
        describe(&status.gate);
        let listener = health::bind(address, "SLUICE_WORKER_LISTEN or --listen").await?;
        tracing::info!(address = %listener.local_addr()?, "serving /healthz, /readyz and /metrics");
        let ready = move || std::future::ready(readiness(&status.say()));
        Ok(Self { listener, routes: health::routes(metrics, ready) })
    }

    /// Serves them until `end`.
    pub async fn serve(self, end: CancellationToken) {
        let most = health::room_for(CONNECTIONS, "the health port");
        health::serve(self.listener, self.routes, most, end, Duration::ZERO).await;
    }
}

/// A worker that accepts posts is ready.
fn readiness(status: &WorkerStatus) -> Result<(), String> {
    match (&status.paused, status.state) {
        (Some(paused), _) => {
            let since = paused.since.format(&Rfc3339).unwrap_or_default();
            Err(format!("paused: {} since {since}: {}", paused.dependency, paused.message))
        }
        (None, State::Consuming) => Ok(()),
        (None, State::Stopping) => Err("stopping".to_owned()),
        (None, _) => Err("there is no session with RabbitMQ".to_owned()),
    }
}

/// Describes the metrics, and sets their initial values.
fn describe(gate: &Gate) {
    metrics::describe_gauge!(
        "sluice_worker_paused",
        "1 while the dependency accepts no posts and the worker is \
                                                      paused"
    );
    metrics::describe_gauge!(
        "sluice_worker_paused_since_timestamp_seconds",
        "When the pause began, in seconds since 1970; 0 while it is not paused"
    );
    metrics::describe_gauge!("sluice_posts_in_flight", "Deliveries that are not settled yet");
    metrics::describe_gauge!(
        "sluice_oldest_post_submitted_timestamp_seconds",
        "When the oldest post in flight was submitted, in seconds since 1970; with none in flight, that of the last one"
    );
    metrics::describe_gauge!("sluice_worker_consuming", "1 while there is a session with RabbitMQ");
    metrics::describe_counter!("sluice_posts_recorded_total", "Posts that are in MySQL after an attempt, by result");
    metrics::describe_counter!(
        "sluice_posts_reviewed_total",
        "Reviews by verdict; a post that is retried while in flight counts once"
    );
    metrics::describe_gauge!("sluice_rules_info", "1 for the rules in force, 0 for earlier ones");
    metrics::describe_gauge!(
        "sluice_rules_loaded_timestamp_seconds",
        "When the rules came into force, in seconds since 1970"
    );
    metrics::describe_counter!(
        "sluice_rules_reloads_total",
        "Reloads of the rules file, by result: loaded, unchanged or refused"
    );
    metrics::describe_counter!("sluice_rules_shadow_total", "Matches of rules in shadow mode, by rule");
    metrics::describe_counter!(
        "sluice_rules_unlisted_total",
        "Posts in a language or script that the rules have no list for, by language"
    );
    metrics::describe_counter!(
        "sluice_reviewer_requests_total",
        "Posts to ask the outside reviewer about, by result: cleared, flagged, or the error"
    );
    metrics::describe_histogram!(
        "sluice_reviewer_seconds",
        "Time from a request to the outside reviewer to its complete answer"
    );
    metrics::describe_gauge!(
        "sluice_reviewer_circuit_open",
        "1 while no requests are sent to the outside reviewer because of consecutive failures"
    );
    metrics::describe_counter!(
        "sluice_copies_held_total",
        "Posts that are held because of near copies, and that the review alone would have approved"
    );
    metrics::describe_gauge!("sluice_copies_entries", "Posts in the window of near copies, the outdated among them");
    metrics::describe_gauge!("sluice_copies_bytes", "Bytes that the window of near copies takes when it is full");
    metrics::describe_counter!(
        "sluice_copies_shared_total",
        "Posts shared with other processes for the count of near copies, by result: sent, received or dropped"
    );
    metrics::describe_counter!("sluice_deliveries_settled_total", "Settled deliveries, by settlement");
    metrics::describe_counter!("sluice_posts_dead_lettered_total", "Posts that were dead-lettered, by class and code");
    metrics::describe_counter!("sluice_attempts_failed_total", "Failed attempts that will be retried, by code");
    metrics::describe_histogram!("sluice_group_rows", "Rows of one insert");
    metrics::describe_histogram!("sluice_post_age_seconds", "Time from submission to the row");
    metrics::gauge!("sluice_worker_consuming").set(0.0);
    metrics::gauge!("sluice_posts_in_flight").set(0.0);
    // An alert on what a counter grew by sees the first event only if the counter was there before it.
    for settlement in ["ack", "dead_letter", "release", "republish", "gone"] {
        metrics::counter!("sluice_deliveries_settled_total", "settlement" => settlement).increment(0);
    }
    for result in ["loaded", "unchanged", "refused"] {
        metrics::counter!("sluice_rules_reloads_total", "result" => result).increment(0);
    }
    gate.report();
}
