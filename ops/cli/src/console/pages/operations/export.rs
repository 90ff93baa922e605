//! The audit log as a file: all of it, read page by page while it is sent.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse as _;
use futures_util::stream;
use sluice_core::named::Named;
use sluice_mysql::{AuditEntry, StoreError};

use super::super::app::{Pages, Parts};
use super::super::frame::{Answered, Refusal};
use super::super::request::Visit;

/// How many entries are read at once.
const PAGE: u32 = 1000;
/// What the file is, and what browsers call it.
const HEADERS: [(header::HeaderName, &str); 2] = [
    (header::CONTENT_TYPE, "application/x-ndjson"),
    (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.ndjson\""),
];

/// Entries on their way, the latest first.
struct Export {
    pages: Pages,
    named: Option<Named>,
    /// Those that are sent next; none are left where it is empty.
    entries: Vec<AuditEntry>,
}

/// `GET /audit/export`: one JSON object per line, with the keys of `sluice dlq audit --json`; all of it, or of one dead
/// letter. Where the database goes down in the middle, the file breaks off, and browsers say so.
pub(crate) async fn export(State(pages): State<Pages>, visit: Visit) -> Answered {
    let named = visit.query.get("dead_letter").map(Named::new);
    let mut export = Export { pages, named, entries: Vec::new() };
    let first = export.before(None).await;
    export.entries = first.map_err(|error| Refusal::down("The audit log cannot be read", error.to_string()))?;
    let body = stream::try_unfold(export, async |mut export| {
        let Some(last) = export.entries.last() else { return Ok::<_, StoreError>(None) };
        let (operation, number) = (last.operation.clone(), last.number);
        let lines = lines(&export.entries);
        export.entries = export.before(Some((&operation, number))).await?;
        Ok(Some((lines, export)))
    });
    Ok((HEADERS, Body::from_stream(body)).into_response())
}

impl Export {
    async fn before(&self, before: Option<(&str, u32)>) -> Result<Vec<AuditEntry>, StoreError> {
        let Parts { store, dead, .. } = &*self.pages.0;
        let read = store.audit_log_before(&dead.prefix, self.named.as_ref(), before, PAGE).await;
        read.map_err(|failure| store.with_context(failure))
    }
}

fn lines(entries: &[AuditEntry]) -> Bytes {
    let lines = entries.iter().map(|entry| serde_json::to_string(entry).unwrap_or_default() + "\n");
    Bytes::from(lines.collect::<String>())
}
