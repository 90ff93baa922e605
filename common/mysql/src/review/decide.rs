//! A decision: the row, its event and the end of the case, in one transaction.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Params, Transaction, Value};
use sluice_core::failure::{Failure, Kind};
use sluice_core::moderation::act::{Actor, Refusal, standing};
use sluice_core::moderation::{CaseKind, CaseState, Cause, Event, EventType, Role};
use sluice_core::verdict::Verdict;
use time::{OffsetDateTime, PrimitiveDateTime};
use uuid::Uuid;

use super::case::StoredCase;
use super::claim::end_claim;
use super::decision::{COLUMNS, Decision, Ruling, verdict};
use crate::Store;
use crate::failure::no_row;
use crate::insertion::datetime;

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
    /// For how long the author may appeal against a rejection.
    pub appeals: Option<Duration>,
    /// The revision that they saw, if they say so.
    pub expected: Option<u32>,
}

/// A row of the table of decisions, before it is written.
pub(super) struct NewDecision<'a> {
    pub(super) id: Uuid,
    pub(super) verdict: Verdict,
    pub(super) previous: Verdict,
    pub(super) cause: Cause,
    pub(super) policies: &'a [String],
    pub(super) policyset: Option<&'a str>,
    pub(super) message: Option<&'a str>,
    pub(super) note: Option<&'a str>,
    pub(super) actor: Actor<'a>,
    pub(super) act: Option<Uuid>,
    pub(super) undoes: Option<Uuid>,
    pub(super) ruleset: String,
    pub(super) at: OffsetDateTime,
    pub(super) appealable_until: Option<OffsetDateTime>,
}

/// What stands for a post before a decision, as read within its transaction.
pub(super) struct Before {
    /// What stands.
    pub(super) standing: Verdict,
    /// What stood before the last decision; what the review said, where there is none.
    pub(super) stood: Verdict,
    /// The rules that spoke.
    pub(super) ruleset: String,
    /// Now, by the database's clock.
    pub(super) now: OffsetDateTime,
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
        (CaseKind::Held, Some(_), _) => Cause::Bulk,
        (CaseKind::Held, None, Role::Lead) => Cause::Lead,
        (CaseKind::Held, None, Role::Moderator) => Cause::Moderator,
    };
    // Once appealed against, a rejection is final.
    let appeals = request.appeals.filter(|_| verdict == Verdict::Rejected && case.kind == CaseKind::Held);
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
    end_claim(transaction, case, "decided").await?;
    let close = "UPDATE review_cases SET state = ?, claim = NULL, claimed_until = NULL, closed_at = ? WHERE id = ?";
    let asked = vec![CaseState::Decided.as_str().into(), datetime(decision.at), case.case.to_string().into()];
    transaction.exec_drop(close, Params::Positional(asked)).await?;
    Ok(Ok(()))
}

/// What stands for the post of a case.
pub(super) async fn before(transaction: &mut Transaction<'_>, case: &StoredCase) -> Result<Before, mysql_async::Error> {
    let post = case.post.to_string();
    let now: PrimitiveDateTime = transaction.query_first("SELECT NOW(6)").await?.ok_or_else(no_row)?;
    let row: Option<(String, String)> =
        transaction.exec_first("SELECT verdict, ruleset FROM posts WHERE id = ?", (&post,)).await?;
    // Of a row that is gone it is known that it was held: it has a case.
    let (review, ruleset) = row.unwrap_or_default();
    let review = verdict(&review).unwrap_or(Verdict::Held);
    let last = "SELECT verdict, previous FROM review_decisions WHERE post = ? ORDER BY revision DESC LIMIT 1";
    let last: Option<(String, String)> = transaction.exec_first(last, (post,)).await?;
    let (last, stood) = last.map_or((None, None), |(last, stood)| (verdict(&last), verdict(&stood)));
    Ok(Before { standing: standing(review, last), stood: stood.unwrap_or(review), ruleset, now: now.assume_utc() })
}

/// Adds a decision on a case that is locked, and its event.
pub(super) async fn write(
    transaction: &mut Transaction<'_>,
    case: &StoredCase,
    decision: &NewDecision<'_>,
) -> Result<(), mysql_async::Error> {
    let revision = case.revision + 1;
    let handling = case.claimed_at.filter(|_| case.claim.is_some()).map(|since| decision.at - since);
    let handling = handling.and_then(|took| u32::try_from(took.whole_milliseconds()).ok());
    let statement = "INSERT INTO review_decisions (id, post, case_id, revision, verdict, previous, cause, policies, \
                     message, note, decided_by, role, claim, act, undoes, ruleset, policyset, handling_ms, \
                     decided_at, appealable_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let id = |id: Option<Uuid>| Value::from(id.map(|id| id.to_string()));
    let values = vec![
        decision.id.to_string().into(),
        case.post.to_string().into(),
        case.case.to_string().into(),
        revision.into(),
        decision.verdict.as_str().into(),
        decision.previous.as_str().into(),
        decision.cause.as_str().into(),
        serde_json::to_string(decision.policies).unwrap_or_else(|_| "[]".to_owned()).into(),
        decision.message.into(),
        decision.note.into(),
        decision.actor.name.into(),
        decision.actor.role.as_str().into(),
        id(case.claim.as_ref().map(|claim| claim.token)),
        id(decision.act),
        id(decision.undoes),
        decision.ruleset.as_str().into(),
        decision.policyset.into(),
        handling.into(),
        datetime(decision.at),
        decision.appealable_until.map_or(Value::NULL, datetime),
    ];
    transaction.exec_drop(statement, Params::Positional(values)).await?;
    let event = Event {
        kind: if decision.cause == Cause::Appeal { EventType::AppealDecided } else { EventType::PostDecided },
        id: decision.id,
        seq: None,
        post: case.post,
        revision,
        verdict: decision.verdict,
        previous: decision.previous,
        cause: Some(decision.cause),
        policies: decision.policies.to_vec(),
        message: decision.message.map(str::to_owned),
        appealable_until: decision.appealable_until,
        decided_at: decision.at,
        by: decision.actor.role.as_str().to_owned(),
    };
    super::outbox::add(transaction, &event).await
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
