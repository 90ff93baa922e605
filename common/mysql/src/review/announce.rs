//! Held posts are announced: the events `post.held`, made out of the cases that have none yet.
//!
//! Not when the case is opened: a worker waits for that, and an event is as long as the case. A case says itself whether
//! it was announced, so one that is committed late is announced late, and not skipped.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Params, Transaction, Value};
use sluice_core::moderation::{Event, EventType};
use sluice_core::verdict::Verdict;
use time::PrimitiveDateTime;

/// The condition of a case that is to be announced.
pub(super) const TO_ANNOUNCE: &str = "announced_at IS NULL AND kind = 'held'";

/// The events of cases that are older than so many microseconds, the oldest first, at most `limit`. Their cases are
/// locked; a case that a moderator is just changing has its turn later.
pub(super) async fn due(
    transaction: &mut Transaction<'_>,
    micros: i64,
    limit: u32,
) -> Result<Vec<Event>, mysql_async::Error> {
    let statement = format!(
        "SELECT id, post, opened_at FROM review_cases WHERE {TO_ANNOUNCE} \
         AND opened_at <= NOW(6) - INTERVAL ? MICROSECOND ORDER BY opened_at, id LIMIT ? FOR UPDATE SKIP LOCKED"
    );
    let cases: Vec<(String, String, PrimitiveDateTime)> = transaction.exec(statement, (micros, limit)).await?;
    Ok(cases.iter().filter_map(|(case, post, at)| held(case, post, *at)).collect())
}

/// Marks these events' cases as announced.
pub(super) async fn announced(transaction: &mut Transaction<'_>, cases: &[Value]) -> Result<(), mysql_async::Error> {
    if cases.is_empty() {
        return Ok(());
    }
    let marks = vec!["?"; cases.len()].join(", ");
    let statement = format!("UPDATE review_cases SET announced_at = NOW(6) WHERE id IN ({marks})");
    transaction.exec_drop(statement, Params::Positional(cases.to_vec())).await
}

fn held(case: &str, post: &str, at: PrimitiveDateTime) -> Option<Event> {
    Some(Event {
        kind: EventType::PostHeld,
        id: case.parse().ok()?,
        seq: None,
        post: post.parse().ok()?,
        revision: 0,
        verdict: Verdict::Held,
        previous: Verdict::Held,
        cause: None,
        policies: Vec::new(),
        message: None,
        appealable_until: None,
        decided_at: at.assume_utc(),
        by: "system".to_owned(),
    })
}
