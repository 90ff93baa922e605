//! Claims: who holds a case. A claim ends by itself, by the database's clock.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Params, Transaction};
use sluice_core::failure::Failure;
use sluice_core::moderation::act::{Actor, Refusal};
use sluice_core::moderation::{CaseState, Role};
use time::{OffsetDateTime, PrimitiveDateTime};
use uuid::Uuid;

use super::case::StoredCase;
use crate::Store;
use crate::failure::no_row;

/// How long a claim lasts, counted from its beginning or from the last activity.
pub const LEASE: Duration = Duration::from_secs(10 * 60);
/// The longest time to which a claim can be extended.
pub const LEASE_MOST: Duration = Duration::from_secs(60 * 60);

/// Who asks for a case.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The moderator.
    pub by: &'a str,
    /// As what. A lead is given escalated cases first.
    pub role: Role,
    /// The token of the claim, made by the caller: a repeated request with the same token gets the same case.
    pub token: Uuid,
    /// Only cases of this queue.
    pub queue: Option<&'a str>,
}

/// How a case is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// For the next moderator.
    Released,
    /// Because this person would rather not decide it. Skipped too often, it goes to a lead.
    Skipped,
    /// For a lead.
    Escalated,
}

impl Release {
    fn as_str(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Skipped => "skipped",
            Self::Escalated => "escalated",
        }
    }
}

impl Store {
    /// Claims this case. `None`: there is no such case.
    ///
    /// # Errors
    /// The server's.
    pub async fn claim(&self, case: Uuid, ask: Ask<'_>) -> Result<Option<Result<(), Refusal>>, Failure> {
        let actor = Actor { name: ask.by, role: ask.role, claim: Some(ask.token) };
        self.change(case, "claiming a case", &(actor, ask), |transaction, case, (actor, ask)| {
            Box::pin(async move {
                let answer = case.as_it_stands().claim(*actor);
                if answer.is_ok() {
                    take(transaction, case, *ask).await?;
                }
                Ok(answer)
            })
        })
        .await
    }

    /// Extends a claim, but to no longer than [`LEASE_MOST`] after it began. Gives its new end.
    ///
    /// # Errors
    /// The server's.
    pub async fn extend_claim(
        &self,
        case: Uuid,
        actor: Actor<'_>,
    ) -> Result<Option<Result<OffsetDateTime, Refusal>>, Failure> {
        self.change(case, "extending a claim", &actor, |transaction, case, actor| {
            Box::pin(async move {
                if let Err(refusal) = case.as_it_stands().hold(*actor) {
                    return Ok(Err(refusal));
                }
                let statement = "UPDATE review_cases SET claimed_until = GREATEST(claimed_until, \
                                 LEAST(NOW(6) + INTERVAL ? SECOND, claimed_at + INTERVAL ? SECOND)) WHERE id = ?";
                let id = case.case.to_string();
                transaction.exec_drop(statement, (LEASE.as_secs(), LEASE_MOST.as_secs(), &id)).await?;
                let until = "SELECT claimed_until FROM review_cases WHERE id = ?";
                let until: Option<PrimitiveDateTime> = transaction.exec_first(until, (id,)).await?;
                Ok(Ok(until.ok_or_else(no_row)?.assume_utc()))
            })
        })
        .await
    }

    /// Gives a case back.
    ///
    /// # Errors
    /// The server's.
    pub async fn release(
        &self,
        case: Uuid,
        actor: Actor<'_>,
        how: Release,
    ) -> Result<Option<Result<CaseState, Refusal>>, Failure> {
        self.change(case, "giving a case back", &(actor, how), |transaction, case, (actor, how)| {
            Box::pin(async move {
                let stands = case.as_it_stands();
                // Escalating a case does not need a claim, but nobody else may hold one.
                let allowed = if *how == Release::Escalated { stands.escalate(*actor) } else { stands.hold(*actor) };
                if let Err(refusal) = allowed {
                    return Ok(Err(refusal));
                }
                let state = match how {
                    Release::Released => stands.state,
                    Release::Skipped => stands.skipped(),
                    Release::Escalated => CaseState::Escalated,
                };
                end_claim(transaction, case, how.as_str()).await?;
                let statement = "UPDATE review_cases SET state = ?, claim = NULL, claimed_by = NULL, claimed_at = NULL, \
                                 claimed_until = NULL WHERE id = ?";
                transaction.exec_drop(statement, (state.as_str(), case.case.to_string())).await?;
                Ok(Ok(state))
            })
        })
        .await
    }
}

/// Writes a claim on a case that is locked.
pub(super) async fn take(
    transaction: &mut Transaction<'_>,
    case: &StoredCase,
    ask: Ask<'_>,
) -> Result<(), mysql_async::Error> {
    if case.claim.as_ref().is_some_and(|claim| claim.token == ask.token) {
        return Ok(());
    }
    end_claim(transaction, case, "lapsed").await?;
    claim_for(transaction, case, ask.by, ask.token).await
}

/// Claims a case that is locked for somebody.
pub(super) async fn claim_for(
    transaction: &mut Transaction<'_>,
    case: &StoredCase,
    by: &str,
    token: Uuid,
) -> Result<(), mysql_async::Error> {
    let (id, token) = (case.case.to_string(), token.to_string());
    let statement = "UPDATE review_cases SET claim = ?, claimed_by = ?, claimed_at = NOW(6), \
                     claimed_until = NOW(6) + INTERVAL ? SECOND, handed_out = LEAST(handed_out + 1, 65535) WHERE id = ?";
    transaction.exec_drop(statement, (&token, by, LEASE.as_secs(), &id)).await?;
    let statement = "INSERT INTO review_claims (id, case_id, moderator, at) VALUES (?, ?, ?, NOW(6)) \
                     ON DUPLICATE KEY UPDATE case_id = VALUES(case_id)";
    transaction.exec_drop(statement, (token, id, by)).await
}

/// Notes how the last claim ended, if there was one.
pub(super) async fn end_claim(
    transaction: &mut Transaction<'_>,
    case: &StoredCase,
    outcome: &str,
) -> Result<(), mysql_async::Error> {
    let Some(claim) = &case.claim else { return Ok(()) };
    let statement = "UPDATE review_claims SET ended_at = LEAST(NOW(6), ?), outcome = ? \
                     WHERE id = ? AND case_id = ? AND ended_at IS NULL";
    let until = crate::insertion::datetime(if outcome == "lapsed" { claim.until } else { FAR });
    let asked = vec![until, outcome.into(), claim.token.to_string().into(), case.case.to_string().into()];
    transaction.exec_drop(statement, Params::Positional(asked)).await
}

/// Later than any claim.
const FAR: OffsetDateTime = time::macros::datetime!(9999-01-01 0:00 UTC);
