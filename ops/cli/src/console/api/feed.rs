//! The feed of decisions: in order, at least once, and nothing skipped.

use std::fmt::Write as _;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use sluice_runtime::health::Problem;

use super::app::Api;
use super::input::Query;
use super::problem;

/// How many events are given where nothing is said.
const LIMIT: u64 = 100;
/// The most events of one answer.
const LIMIT_MOST: u64 = 1000;
/// The longest wait, in seconds.
const WAIT_MOST: u64 = 30;

/// `GET decisions`.
pub(super) async fn decisions(State(api): State<Api>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let query = Query::read(query.as_deref(), &["after", "limit", "wait"])?;
    let after = query.number("after", 0..=i64::MAX as u64, 0)?;
    let limit = query.number("limit", 1..=LIMIT_MOST, LIMIT)?;
    let wait = Duration::from_secs(query.number("wait", 0..=WAIT_MOST, 0)?);
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let read = async || api.store().events(after, limit).await.map_err(|failure| api.failed(failure));
    let mut events = read().await?;
    if events.is_empty() && !wait.is_zero() {
        let mut last = api.0.feed.clone();
        let more = last.wait_for(|last| *last > after);
        // In this order: what feeds the watch ends with the console, too.
        tokio::select! {
            biased;
            () = api.0.stop.cancelled() => return Err(problem::stopping()),
            _ = tokio::time::timeout(wait, more) => {}
        }
        events = read().await?;
    }
    // The very bytes that webhooks get, so that the two can be compared.
    let (mut body, mut next) = (r#"{"decisions":["#.to_owned(), after);
    for (place, (seq, event)) in events.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let _ = write!(body, "{comma}{event}");
        next = *seq;
    }
    let _ = write!(body, r#"],"next":{next}}}"#);
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}
