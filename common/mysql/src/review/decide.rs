//! A decision: the row, its event and the end of the case, in one transaction.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Params, Transaction};
use sluice_core::failure::{Failure, Kind};
use sluice_core::moderation::act::{Actor, Refusal};
use sluice_core::moderation::{CaseKind, CaseState, Cause, Role, Share};
use sluice_core::verdict::Verdict;
use time::OffsetDateTime;
use uuid::Uuid;

use super::about::CaseAbout;
use super::case::StoredCase;
use super::claim::end_claim;
use super::decision::{COLUMNS, Decision, Ruling};
use super::new_decision::{NewDecision, before, write};
use crate::Store;
use crate::insertion::datetime;

/// How decisions are checked again; by default not at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Recheck {
    /// For how long the author may appeal against a rejection.
    pub appeals: Option<Duration>,
    /// Which share of moderators' decisions somebody else reviews, without seeing them.
    pub second_reviews: Share,
}

/// What is to be decided.
#[derive(Debug, Clone)]
pub struct DecisionRequest<'a> {
    /// The decision's id, made by whoever decides: the same one again gives the same answer again.
    pub id: Uuid,
    /// The case.
    pub case: Uuid,
    /// What they say.
    pub ruling: Ruling,
    /// Who they are.
    pub actor: Actor<'a>,
    /// The ids of the policies that they name.
    pub policies: &'a [String],
    /// Which policies file they saw: name, `@` and the beginning of its hash.
    pub policyset: Option<&'a str>,
    /// A text for the author.
    pub message: Option<&'a str>,
    /// A text for the team.
    pub note: Option<&'a str>,
    /// The decision in bulk that it is a part of.
    pub act: Option<Uuid>,
    /// How it may be checked again.
    pub recheck: Recheck,
    /// The revision that they saw, if they say so.
    pub expected: Option<u32>,
}

impl Store {
    /// Decides a case. `None`: there is no such case.
    ///
    /// # Errors
    /// The server's; or that the decision's id is another decision's.
    pub async fn decide(&self, request: &DecisionRequest<'_>) -> Result<Option<Result<Decision, Refusal>>, Failure> {
        if let Some(decision) = self.decision(request.id).await? {
            return same(decision, request).map(|decision| Some(Ok(decision)));
        }
        let decided = self
            .change(request.case, "a decision", request, |transaction, case, request| {
                Box::pin(decide(transaction, case, request))
            })
            .await?;
        match decided {
            None => Ok(None),
            // Its own answer may have been lost on the way, while this repetition waited for the lock.
            Some(Err(refusal)) => match self.decision(request.id).await? {
                Some(decision) => same(decision, request).map(|decision| Some(Ok(decision))),
                None => Ok(Some(Err(refusal))),
            },
            Some(Ok(())) => Ok(self.decision(request.id).await?.map(Ok)),
        }
    }
}

async fn decide(
    transaction: &mut Transaction<'_>,
    case: &StoredCase,
    request: &DecisionRequest<'_>,
) -> Result<Result<(), Refusal>, mysql_async::Error> {
    if let Err(refusal) = case.as_it_stands().decide(request.actor) {
        return Ok(Err(refusal));
    }
    if request.expected.is_some_and(|expected| expected != case.revision) {
        return Ok(Err(Refusal::Superseded { revision: case.revision }));
    }
    let before = before(transaction, case).await?;
    let verdict = request.ruling.verdict();
    let cause = match (case.kind, request.act, request.actor.role) {
        (CaseKind::Appeal, ..) => Cause::Appeal,
        (CaseKind::Second, ..) => Cause::Second,
        (CaseKind::Held, Some(_), _) => Cause::Bulk,
        (CaseKind::Held, None, Role::Lead) => Cause::Lead,
        (CaseKind::Held, None, Role::Moderator) => Cause::Moderator,
    };
    // Once appealed against, a rejection is final.
    let appeals = request.recheck.appeals.filter(|_| verdict == Verdict::Rejected && case.kind != CaseKind::Appeal);
    let decision = NewDecision {
        id: request.id,
        verdict,
        previous: before.standing,
        cause,
        policies: request.policies,
        policyset: request.policyset,
        message: request.message,
        note: request.note,
        actor: request.actor,
        act: request.act,
        undoes: None,
        ruleset: before.ruleset,
        at: before.now,
        appealable_until: appeals.map(|within| before.now + within),
    };
    write(transaction, case, &decision).await?;
    close(transaction, case, decision.at).await?;
    let drawn = request.recheck.second_reviews.draws(fastrand::u16(..10_000));
    if drawn && case.as_it_stands().may_be_drawn(cause) {
        draw(transaction, case, &decision).await?;
    }
    Ok(Ok(()))
}

/// Closes a case that is locked: it is decided.
pub(super) async fn close(
    transaction: &mut Transaction<'_>,
    case: &StoredCase,
    at: OffsetDateTime,
) -> Result<(), mysql_async::Error> {
    end_claim(transaction, case, "decided").await?;
    let close = "UPDATE review_cases SET state = ?, claim = NULL, claimed_until = NULL, closed_at = ? WHERE id = ?";
    let asked = vec![CaseState::Decided.as_str().into(), datetime(at), case.case.to_string().into()];
    transaction.exec_drop(close, Params::Positional(asked)).await
}

/// Opens the second review of a decision.
async fn draw(
    transaction: &mut Transaction<'_>,
    case: &StoredCase,
    decision: &NewDecision<'_>,
) -> Result<(), mysql_async::Error> {
    let new = CaseAbout {
        id: Uuid::now_v7(),
        kind: CaseKind::Second,
        decision: decision.id,
        not_by: decision.actor.name,
        reason: None,
        at: decision.at,
    };
    new.open(transaction, case.case).await
}

/// A decision of this id that is there already: this very request's, or another's.
fn same(decision: Decision, request: &DecisionRequest<'_>) -> Result<Decision, Failure> {
    if (decision.case, decision.verdict) == (request.case, request.ruling.verdict()) {
        return Ok(decision);
    }
    Err(taken(request.id))
}

/// What is said of an id that is another decision's.
pub(super) fn taken(id: Uuid) -> Failure {
    let message = format!("the id {id} is another decision's; make a new one");
    Failure::new(Kind::Permanent, "decision_id_taken", message)
}

/// The columns of one decision within a transaction.
pub(super) async fn find(transaction: &mut Transaction<'_>, id: Uuid) -> Result<Option<Decision>, mysql_async::Error> {
    let statement = format!("SELECT {COLUMNS} FROM review_decisions d WHERE d.id = ?");
    transaction.exec_first(statement, (id.to_string(),)).await
}
