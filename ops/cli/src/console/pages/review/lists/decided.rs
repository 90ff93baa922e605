//! What one decided oneself, with the way back.

use askama::Template;
use axum::extract::State;
use sluice_mysql::review::PastDecision;
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::super::app::Pages;
use super::super::super::frame::{Answered, Frame, Page};
use super::super::super::request::{Visit, Who};
use super::super::asked::failed;
use super::super::comfort::Comfort;
use crate::times::span;

/// The most decisions of the page.
const LINES: u32 = 100;

/// `templates/decided.html`.
#[derive(Template)]
#[template(path = "decided.html")]
struct DecidedPage {
    frame: Frame,
    decisions: Vec<PastDecision>,
    comfort: Comfort,
}

impl Page for DecidedPage {}

/// Shows it.
pub(crate) async fn show(State(pages): State<Pages>, visit: Visit, who: Who, comfort: Comfort) -> Answered {
    let decisions = pages.0.store.decisions_by(&who.name, LINES).await;
    let decisions = decisions.map_err(|failure| failed(&pages, failure))?;
    visit.show(&DecidedPage { frame: visit.frame("Decided by you"), decisions, comfort })
}

/// For the template.
fn age(at: &OffsetDateTime) -> String {
    span(OffsetDateTime::now_utc() - *at)
}

/// For the template: an id for an undo.
fn fresh() -> Uuid {
    Uuid::now_v7()
}
