//! A decision as it is written: the row, and its event.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Params, Transaction, Value};
use sluice_core::moderation::act::{Actor, standing};
use sluice_core::moderation::{Cause, Event, EventType};
use sluice_core::verdict::Verdict;
use time::{OffsetDateTime, PrimitiveDateTime};
use uuid::Uuid;

use super::case::StoredCase;
use super::decision::verdict;
use crate::failure::no_row;
use crate::insertion::datetime;

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
