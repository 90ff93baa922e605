//! Who did what to which dead letters. It needs only MySQL.

use askama::Template;
use axum::extract::State;
use sluice_core::named::Named;
use sluice_mysql::AuditEntry;
use time::OffsetDateTime;

use super::super::app::Pages;
use super::super::dead_letters::encode;
use super::super::frame::{Answered, Frame, Page, Refusal};
use super::super::request::Visit;
use crate::dlq::report::wording::DROP;
use crate::operation;
use crate::times::shown;

/// How many lines are shown.
const LINES: u32 = 200;

/// `templates/audit.html`.
#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    frame: Frame,
    id: Option<String>,
    lines: Vec<AuditLine>,
}

/// One line.
struct AuditLine {
    at: String,
    by: String,
    what: &'static str,
    dead_letter: String,
    detail: String,
    operation: String,
    is_replay: bool,
    /// It is in the archive, and nowhere else.
    is_dropped: bool,
}

impl Page for AuditPage {}

/// Shows it: all of it, or of one dead letter.
pub(crate) async fn show(State(pages): State<Pages>, visit: Visit) -> Answered {
    let id = visit.query.get("dead_letter").map(str::to_owned);
    let store = &pages.0.store;
    let named = id.as_deref().map(Named::new);
    let read = store.audit_log(&pages.0.dead.prefix, named.as_ref(), LINES).await;
    let read =
        read.map_err(|failure| Refusal::down("The audit log cannot be read", store.with_context(failure).to_string()))?;
    let lines = read.into_iter().map(AuditLine::new).collect();
    visit.show(&AuditPage { frame: visit.frame("Audit log"), id, lines })
}

impl AuditLine {
    fn new(entry: AuditEntry) -> Self {
        let (what, detail) = operation::told(&entry);
        let is_replay = entry.kind == "replay";
        let is_dropped = entry.outcome == DROP.past && entry.undone_by.is_none();
        let AuditEntry { at, actor, dead_letter, operation, .. } = entry;
        Self { at: time(at), by: actor, what, dead_letter, detail, operation, is_replay, is_dropped }
    }
}

fn time(at: OffsetDateTime) -> String {
    shown(Some(at))
}
