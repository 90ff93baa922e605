//! What an operation has dropped is put back.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;

use super::super::app::{Pages, unrecorded};
use super::super::frame::{Answered, Refusal};
use super::super::request::{Fields, Who};
use super::super::work::Running;
use crate::dlq::archive;
use crate::dlq::report::audience::Audience;
use crate::dlq::report::audit_log::AuditLog;
use crate::dlq::report::wording::RESTORE;
use crate::dlq::select::Filters;

/// Puts back all that an operation has dropped and that is not back yet. As with the command, nobody is asked: it can
/// be dropped again.
pub(crate) async fn restore(State(pages): State<Pages>, who: Who, form: Fields) -> Answered {
    let of = form.get("operation").ok_or_else(|| Refusal::invalid("operation: the id of a drop.".to_owned()))?;
    let store = pages.recorder().await?;
    let (filters, operations) = (Filters::default(), [of.to_owned()]);
    let prefix = &pages.0.dead.prefix;
    let found = archive::find(&store, prefix, &filters, &operations).await;
    let found = found.map_err(|error| unrecorded(error.to_string()))?;
    if found.chosen.is_empty() {
        return Err(nothing_there(&found.missing));
    }
    let asked = json!({ "filters": filters, "operations": operations, "all": false, "role": who.role.as_str() });
    let audit_log = AuditLog::of(who.name.clone(), store, RESTORE.kind, prefix, asked);
    let words = format!("all that operation {of} dropped");
    let (id, stop) = (audit_log.id().to_owned(), pages.0.stop.child_token());
    let running = Running::new(id, &RESTORE, who.name, words, stop);
    let (dead, audience) = (pages.0.dead.patient(running.stop.clone()), Audience::Page(Arc::clone(&running.progress)));
    Ok(pages.run(running, archive::put_back(found, dead, audit_log, audience)))
}

/// Nothing of it is in the archive, and why.
fn nothing_there(missing: &[(String, String)]) -> Refusal {
    let why: Vec<&str> = missing.iter().map(|(_, reason)| reason.as_str()).collect();
    Refusal::new(StatusCode::CONFLICT, "There is nothing to restore", format!("{}.", why.join("; ")))
}
