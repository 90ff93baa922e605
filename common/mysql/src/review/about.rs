//! Cases that are about a decision: appeals against it, and its second review.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Params, Transaction, Value};
use sluice_core::moderation::CaseKind;
use time::OffsetDateTime;
use uuid::Uuid;

use super::case::StoredCase;
use super::claim::end_claim;
use crate::insertion::datetime;

/// A case about a decision, before it is opened.
pub(super) struct CaseAbout<'a> {
    pub(super) id: Uuid,
    pub(super) kind: CaseKind,
    pub(super) decision: Uuid,
    /// Who made the decision.
    pub(super) not_by: &'a str,
    /// Why, in the author's words.
    pub(super) reason: Option<&'a str>,
    pub(super) at: OffsetDateTime,
}

impl CaseAbout<'_> {
    /// Opens it, in the queue and with the priority of the case `like` of the same post.
    pub(super) async fn open(&self, transaction: &mut Transaction<'_>, like: Uuid) -> Result<(), mysql_async::Error> {
        let statement = "INSERT INTO review_cases (id, post, kind, of_decision, queue, category, priority, \
                         fingerprint, author, reason, state, opened_at, not_by) \
                         SELECT ?, post, ?, ?, queue, category, priority, fingerprint, author, ?, 'waiting', ?, ? \
                         FROM review_cases WHERE id = ?";
        let values: Vec<Value> = vec![
            self.id.to_string().into(),
            self.kind.as_str().into(),
            self.decision.to_string().into(),
            self.reason.into(),
            datetime(self.at),
            self.not_by.into(),
            like.to_string().into(),
        ];
        transaction.exec_drop(statement, Params::Positional(values)).await
    }
}

/// Ends those of a post's cases that are about this decision and still open: it was undone, or appealed against.
pub(super) async fn end_those_about(
    transaction: &mut Transaction<'_>,
    cases: &[StoredCase],
    decision: Uuid,
) -> Result<(), mysql_async::Error> {
    for case in cases.iter().filter(|case| case.of_decision == Some(decision) && case.stored_state.is_open()) {
        end(transaction, case).await?;
    }
    Ok(())
}

/// Ends a case that is locked: what it asks is no question any more.
pub(super) async fn end(transaction: &mut Transaction<'_>, case: &StoredCase) -> Result<(), mysql_async::Error> {
    end_claim(transaction, case, "withdrawn").await?;
    let end = "UPDATE review_cases SET state = 'withdrawn', claim = NULL, claimed_by = NULL, claimed_until = NULL, \
               closed_at = COALESCE(closed_at, NOW(6)) WHERE id = ?";
    transaction.exec_drop(end, (case.case.to_string(),)).await
}
