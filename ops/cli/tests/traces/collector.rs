//! A collector of the tests' own: it keeps what it is sent, and behaves as it is told.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;
use sluice_lab::testing::eventually;

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Willing,
    Refusing,
    /// It takes requests and never answers.
    Silent,
}

/// What it got.
#[derive(Clone)]
pub(crate) struct Collector {
    pub(crate) url: String,
    mood: Mood,
    got: Arc<Mutex<Vec<Value>>>,
}

/// A span, and whose it is.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) span: Value,
}

impl Seen {
    pub(crate) fn is_in(&self, trace: &str) -> bool {
        self.span["traceId"] == trace
    }

    pub(crate) fn id(&self) -> &str {
        self.span["spanId"].as_str().expect("an id")
    }

    pub(crate) fn parent(&self) -> &str {
        self.span["parentSpanId"].as_str().unwrap_or_default()
    }

    pub(crate) fn attribute(&self, key: &str) -> &str {
        let attributes = self.span["attributes"].as_array().expect("a list");
        let found = attributes.iter().find(|attribute| attribute["key"] == key);
        found.and_then(|found| found["value"]["stringValue"].as_str()).unwrap_or_default()
    }
}

impl Collector {
    pub(crate) async fn start(mood: Mood) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let collector = Self { url, mood, got: Arc::default() };
        let routes = Router::new().route("/v1/traces", axum::routing::post(take)).with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        collector
    }

    /// The variables by which programs find it.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("OTEL_EXPORTER_OTLP_ENDPOINT", self.url.clone()),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20for-tests".to_owned()),
            ("OTEL_BSP_SCHEDULE_DELAY", "50".to_owned()),
        ]
    }

    /// All that it was sent, as text.
    pub(crate) fn text(&self) -> String {
        let got = self.got.lock().unwrap_or_else(PoisonError::into_inner);
        got.iter().map(Value::to_string).collect()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        let got = self.got.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut seen = Vec::new();
        for resource in got.iter().flat_map(|request| request["resourceSpans"].as_array().expect("a list")) {
            let attributes = resource["resource"]["attributes"].as_array().expect("a list");
            let named = attributes.iter().find(|attribute| attribute["key"] == "service.name").expect("a name");
            let service = named["value"]["stringValue"].as_str().expect("a text").to_owned();
            for span in resource["scopeSpans"][0]["spans"].as_array().expect("a list") {
                let name = span["name"].as_str().expect("a name").to_owned();
                seen.push(Seen { service: service.clone(), name, span: span.clone() });
            }
        }
        seen
    }

    /// The spans of a trace, once there are so many; in the order in which they began.
    pub(crate) async fn spans(&self, trace: &str, count: usize) -> Vec<Seen> {
        let mut spans = eventually("the spans", async || {
            let seen: Vec<Seen> = self.seen().into_iter().filter(|span| span.is_in(trace)).collect();
            if seen.len() >= count { Ok(seen) } else { Err(seen) }
        })
        .await;
        spans.sort_by_key(|seen| seen.span["startTimeUnixNano"].as_str().map(str::to_owned));
        spans
    }
}

async fn take(State(collector): State<Collector>, headers: HeaderMap, body: String) -> StatusCode {
    match collector.mood {
        Mood::Silent => std::future::pending().await,
        Mood::Refusing => StatusCode::SERVICE_UNAVAILABLE,
        Mood::Willing => {
            assert_eq!(headers["authorization"], "Bearer for-tests");
            assert_eq!(headers["content-type"], "application/json");
            let got = serde_json::from_str(&body).expect("it is JSON");
            collector.got.lock().unwrap_or_else(PoisonError::into_inner).push(got);
            StatusCode::OK
        }
    }
}
