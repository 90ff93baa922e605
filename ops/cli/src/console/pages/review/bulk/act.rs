//! What became of an act in bulk.

use askama::Template;
use axum::extract::{Path, State};
use sluice_core::moderation::Role;
use sluice_mysql::review::Decision;
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::super::app::Pages;
use super::super::super::frame::{Answered, Frame, Page, Refusal};
use super::super::super::request::{Visit, Who};
use super::super::asked::{self, failed};
use crate::review::decision::act;
use crate::times::shown;

/// The most decisions that the page names.
const LINES: usize = 100;

/// `templates/act.html`.
#[derive(Template)]
#[template(path = "act.html")]
struct ActPage {
    frame: Frame,
    id: Uuid,
    /// The first of its decisions.
    lines: Vec<Decision>,
    count: usize,
    undone: usize,
    /// How many posts were meant.
    asked: usize,
    may_undo: bool,
    next: Uuid,
    queue: Option<String>,
}

impl Page for ActPage {}

/// Shows it.
pub(crate) async fn show(State(pages): State<Pages>, Path(id): Path<String>, visit: Visit, who: Who) -> Answered {
    let (id, store) = (asked::id(&id)?, &pages.0.store);
    let failed = |failure| failed(&pages, failure);
    let mut lines = act::decisions(store, id).await.map_err(failed)?;
    let undone = act::decisions(store, act::undoing(id)).await.map_err(failed)?.len();
    let asked = visit.query.get("asked").and_then(|asked| asked.parse().ok());
    if lines.is_empty() && asked.is_none() {
        return Err(Refusal::not_found("There is no act with this id.".to_owned()));
    }
    let count = lines.len();
    let may_undo = lines.first().is_some_and(|one| one.decided_by == who.name || asked::role(&who) == Role::Lead);
    lines.truncate(LINES);
    let (asked, next) = (asked.unwrap_or(count), Uuid::now_v7());
    let frame = visit.frame("Decided in bulk");
    visit.show(&ActPage { frame, id, lines, count, undone, asked, may_undo, next, queue: None })
}

/// For the template.
fn at(at: &OffsetDateTime) -> String {
    shown(Some(*at))
}
