//! The figures of people's review.

use axum::extract::{RawQuery, State};
use serde_json::json;
use time::OffsetDateTime;

use super::app::{Answer, Answered, Api};
use super::input::Query;
use super::problem;
use crate::times::moment;

/// By what decisions can be told apart.
const BY: [&str; 4] = ["moderator", "queue", "category", "rule"];
/// Since when decisions are counted, where nothing is said.
const SINCE: &str = "7d";

/// `GET review/measures`.
pub(super) async fn show(State(api): State<Api>, RawQuery(query): RawQuery) -> Answered {
    let query = Query::read(query.as_deref(), &["since", "by"])?;
    let since = moment(query.get("since").unwrap_or(SINCE), OffsetDateTime::now_utc());
    let since = since.map_err(|error| problem::invalid("since", error))?;
    let by = query.get("by");
    if by.is_some_and(|by| !BY.contains(&by)) {
        return Err(problem::invalid("by", format!("has to be one of {}", BY.join(", "))));
    }
    let measures = api.store().measures(since, by).await.map_err(|failure| api.failed(failure))?;
    Answer::ok(json!({ "measures": measures }))
}
