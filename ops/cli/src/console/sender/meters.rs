//! What `/metrics` shows of decisions on their way and of open cases.

use std::sync::Arc;
use std::time::Duration;

use sluice_core::failure::Failure;
use sluice_mysql::Store;
use sluice_mysql::review::TimeToDecision;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

/// The time between two looks at the database. They count rows.
const LOOK: Duration = Duration::from_secs(5);

const DELIVERED: &str = "sluice_decisions_delivered_total";
const FAILED: &str = "sluice_decisions_failed_total";
const UNDELIVERED: &str = "sluice_decisions_undelivered";
const OLDEST: &str = "sluice_decisions_oldest_undelivered_seconds";
const PAUSED: &str = "sluice_decisions_endpoint_paused";
const CASES: &str = "sluice_review_cases";
const OLDEST_CASE: &str = "sluice_review_oldest_case_seconds";
const TIME_TO_DECISION: &str = "sluice_review_time_to_decision_seconds";
const DECIDED: &str = "sluice_review_decided_last_day";
const UNNUMBERED: &str = "sluice_decisions_unnumbered";

/// Describes them all.
pub(super) fn describe() {
    metrics::describe_counter!(DELIVERED, "Events that an endpoint took from this console");
    metrics::describe_counter!(FAILED, "Tries at a delivery that failed in this console");
    metrics::describe_gauge!(UNDELIVERED, "Events that an endpoint has not taken yet");
    metrics::describe_gauge!(OLDEST, "Age of the oldest of them, in seconds; 0 where there is none");
    metrics::describe_gauge!(PAUSED, "1 while nothing is sent to the endpoint");
    metrics::describe_gauge!(CASES, "Open cases: waiting for anybody, waiting for a lead, claimed");
    metrics::describe_gauge!(OLDEST_CASE, "Age of the oldest open case, in seconds; 0 where there is none");
    metrics::describe_gauge!(
        TIME_TO_DECISION,
        "From the opening of a case to its decision, of the last 24 hours' decisions (of the last 10,000 of them)"
    );
    metrics::describe_gauge!(DECIDED, "How many decisions that is");
    metrics::describe_gauge!(UNNUMBERED, "Events that are too young for the feed");
}

/// An event was taken.
pub(super) fn delivered(endpoint: &str) {
    metrics::counter!(DELIVERED, "endpoint" => endpoint.to_owned()).increment(1);
}

/// A try failed.
pub(super) fn failed(endpoint: &str) {
    metrics::counter!(FAILED, "endpoint" => endpoint.to_owned()).increment(1);
}

/// Keeps the gauges until the end. While the database is unusable they stay as they were.
pub(super) async fn keep(store: Arc<Store>, stop: CancellationToken) {
    loop {
        if let Err(failure) = look(&store).await {
            tracing::debug!(%failure, "the figures of decisions and cases are not up to date");
        }
        if stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
            return;
        }
    }
}

async fn look(store: &Store) -> Result<(), Failure> {
    let age = |since: Option<OffsetDateTime>| {
        since.map_or(0.0, |since| (OffsetDateTime::now_utc() - since).as_seconds_f64().max(0.0))
    };
    for status in store.endpoint_statuses().await? {
        let endpoint = status.endpoint;
        metrics::gauge!(UNDELIVERED, "endpoint" => endpoint.clone()).set(status.undelivered as f64);
        metrics::gauge!(PAUSED, "endpoint" => endpoint.clone()).set(f64::from(u8::from(status.paused_at.is_some())));
        metrics::gauge!(OLDEST, "endpoint" => endpoint).set(age(status.oldest));
    }
    let counts = store.review_counts().await?;
    for (state, cases) in [("waiting", counts.waiting), ("escalated", counts.escalated), ("claimed", counts.claimed)] {
        metrics::gauge!(CASES, "state" => state).set(cases as f64);
    }
    metrics::gauge!(OLDEST_CASE).set(age(counts.oldest));
    metrics::gauge!(UNNUMBERED).set(counts.unnumbered as f64);
    let TimeToDecision { decisions, p50, p90, p99 } = store.time_to_decision().await?;
    metrics::gauge!(DECIDED).set(decisions as f64);
    for (quantile, seconds) in [("0.5", p50), ("0.9", p90), ("0.99", p99)] {
        metrics::gauge!(TIME_TO_DECISION, "quantile" => quantile).set(seconds);
    }
    Ok(())
}
