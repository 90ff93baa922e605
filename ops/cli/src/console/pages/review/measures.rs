//! How many cases were decided, how long that took, and what became of the decisions: the numbers of
//! `sluice review measures`.

use askama::Template;
use axum::extract::State;
use sluice_mysql::review::{Measures, ReviewCounts};
use time::OffsetDateTime;

use super::super::app::Pages;
use super::super::frame::{Answered, Frame, Page, Refusal};
use super::super::request::Visit;
use super::asked::failed;
use crate::review::case::measures::{agreed, kappa, rejected, took};
use crate::times::{moment, span};

/// By what the decisions can be told apart.
const BY: [&str; 4] = ["moderator", "queue", "category", "rule"];
/// Since when decisions are counted, where nothing is said.
const SINCE: &str = "7d";

/// `templates/measures.html`.
#[derive(Template)]
#[template(path = "measures.html")]
struct MeasuresPage {
    frame: Frame,
    counts: ReviewCounts,
    bys: [&'static str; BY.len()],
    by: &'static str,
    since: String,
    all: Option<Measures>,
    lines: Vec<Measures>,
}

impl Page for MeasuresPage {}

/// Shows them.
pub(crate) async fn show(State(pages): State<Pages>, visit: Visit) -> Answered {
    let since = visit.query.get("since").unwrap_or(SINCE).to_owned();
    let from = moment(&since, OffsetDateTime::now_utc());
    let from = from.map_err(|problem| Refusal::invalid(format!("since: {problem}.")))?;
    let asked = visit.query.get("by").unwrap_or(BY[0]);
    let by = BY.into_iter().find(|by| *by == asked);
    let by = by.ok_or_else(|| Refusal::invalid(format!("by: one of {}.", BY.join(", "))))?;
    let (store, failed) = (&pages.0.store, |failure| failed(&pages, failure));
    let counts = store.review_counts().await.map_err(failed)?;
    let all = store.measures(from, None).await.map_err(failed)?.pop();
    let lines = store.measures(from, Some(by)).await.map_err(failed)?;
    visit.show(&MeasuresPage { frame: visit.frame("Measures"), counts, bys: BY, by, since, all, lines })
}

/// For the template.
fn age(at: &OffsetDateTime) -> String {
    span(OffsetDateTime::now_utc() - *at)
}

/// For the template.
fn lasts(seconds: &f64) -> String {
    took(*seconds)
}
