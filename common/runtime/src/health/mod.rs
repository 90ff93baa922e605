//! The health endpoints that every long-running program serves over HTTP.
//!
//! | route | answers |
//! |---|---|
//! | `GET /healthz` | 200 while the process runs; if there is no answer, restart it |
//! | `GET /readyz` | 200 if it can work now, otherwise 503 with the reason; do not restart it for that |
//! | `GET /metrics` | counters and histograms in the text form of Prometheus |
//!
//! The first two are separate on purpose: an outage of the broker must not make a supervisor restart the programs that
//! wait for its end.

mod connection;
mod crowd;
mod listener;
mod problem;
mod room;
mod seldom;
mod timed;

pub use listener::{address, bind, serve};
pub use problem::{FieldProblem, Problem};
pub use room::room_for;
pub use seldom::Seldom;

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router, routing};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds of the histograms of durations, in seconds: from a confirm on an idle machine to far beyond the time
/// the HTTP API waits for one.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds of the histograms of ages, in seconds: from a queue that is empty to one that stood for a week.
const AGES: [f64; 12] = [0.005, 0.01, 0.05, 0.25, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 86_400.0, 604_800.0];
/// Upper bounds of the histograms of rows, up to the largest group.
const ROWS: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1000.0];
/// How often the histograms' samples are summed up. Without this, they accumulate until the next scrape, which may
/// never happen.
const UPKEEP: Duration = Duration::from_secs(5);

/// The metrics of this process. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Begins to record what the `metrics` macros count, for the whole process, under `sluice_build_info{program=…}`.
    /// A second call gives the same numbers again. Durations are recorded in metrics whose names end in `_seconds`.
    ///
    /// # Errors
    /// When something else in this process records already.
    pub fn install(program: &'static str) -> anyhow::Result<Self> {
        static INSTALLED: Mutex<Option<Metrics>> = Mutex::new(None);
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(metrics) = &*installed {
            return Ok(metrics.clone());
        }
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
            .set_buckets_for_metric(Matcher::Full("sluice_post_age_seconds".to_owned()), &AGES)?
            .set_buckets_for_metric(Matcher::Full("sluice_group_rows".to_owned()), &ROWS)?
            .install_recorder()?;
        metrics::describe_gauge!("sluice_build_info", "Program and version; always 1");
        metrics::gauge!("sluice_build_info", "program" => program, "version" => sluice_core::VERSION).set(1.0);
        let metrics = Self(handle);
        *installed = Some(metrics.clone());
        tokio::spawn(metrics.clone().upkeep());
        Ok(metrics)
    }

    async fn upkeep(self) {
        loop {
            tokio::time::sleep(UPKEEP).await;
            self.0.run_upkeep();
        }
    }

    fn render(&self) -> Response {
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], self.0.render()).into_response()
    }
}

/// `GET /healthz` alone, for a port whose clients are to learn no more.
pub fn alive<State: Clone + Send + Sync + 'static>() -> Router<State> {
    Router::new().route("/healthz", routing::get(async || Json(serde_json::json!({"status": "alive"}))))
}

/// The three routes. `ready` is asked at each `GET /readyz`; its error is the reason shown.
pub fn routes<Ready, Answer, State>(metrics: Metrics, ready: Ready) -> Router<State>
where
    Ready: Fn() -> Answer + Clone + Send + Sync + 'static,
    Answer: Future<Output = Result<(), String>> + Send + 'static,
    State: Clone + Send + Sync + 'static,
{
    let readiness = move || {
        let asked = ready();
        async move {
            match asked.await {
                Ok(()) => Json(serde_json::json!({"status": "ready"})).into_response(),
                Err(reason) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", "Not ready", reason)
                    .retry_after(Duration::from_secs(1))
                    .into_response(),
            }
        }
    };
    alive().route("/readyz", routing::get(readiness)).route("/metrics", routing::get(async move || metrics.render()))
}
