//! Undo: one more decision, with the verdict that stood before. The person who undid it then holds a claim on the case.

use mysql_async::prelude::Queryable as _;
use sluice_core::failure::Failure;
use sluice_core::moderation::Cause;
use sluice_core::moderation::act::{Actor, Refusal};
use uuid::Uuid;

use super::about::end_those_about;
use super::claim::claim_for;
use super::decide::{find, taken};
use super::decision::Decision;
use super::new_decision::{NewDecision, before, write};
use super::transaction::lock;
use crate::Store;

/// What is to be undone.
#[derive(Debug, Clone)]
pub struct UndoRequest<'a> {
    /// The id of the new decision, made by the caller.
    pub id: Uuid,
    /// The decision that is undone.
    pub decision: Uuid,
    /// Who undoes it; the token is that of the claim that they get.
    pub actor: Actor<'a>,
    /// A text for the team.
    pub note: Option<&'a str>,
    /// The undoing in bulk that it is a part of.
    pub act: Option<Uuid>,
}

impl Store {
    /// Undoes a decision. `None`: there is no such decision.
    ///
    /// # Errors
    /// The server's; or that the new decision's id is another decision's.
    pub async fn undo(&self, request: &UndoRequest<'_>) -> Result<Option<Result<Decision, Refusal>>, Failure> {
        let same = |decision: Decision| match decision.undoes == Some(request.decision) {
            true => Ok(Some(Ok(decision))),
            false => Err(taken(request.id)),
        };
        if let Some(decision) = self.decision(request.id).await? {
            return same(decision);
        }
        let Some(undone) = self.decision(request.decision).await? else { return Ok(None) };
        let answer = self
            .change(undone.case, "an undo", request, |transaction, case, request| {
                Box::pin(async move {
                    let Some(undone) = find(transaction, request.decision).await? else {
                        return Ok(Err(Refusal::NotUndoable));
                    };
                    let undoes = undone.undoes.is_some();
                    let allowed = case.as_it_stands().undo(request.actor, undone.revision, &undone.decided_by, undoes);
                    if let Err(refusal) = allowed {
                        return Ok(Err(refusal));
                    }
                    let before = before(transaction, case).await?;
                    let decision = NewDecision {
                        id: request.id,
                        verdict: before.stood,
                        previous: before.standing,
                        cause: Cause::Undo,
                        policies: &[],
                        policyset: None,
                        message: None,
                        note: request.note,
                        actor: request.actor,
                        act: request.act,
                        undoes: Some(request.decision),
                        ruleset: before.ruleset,
                        at: before.now,
                        appealable_until: None,
                    };
                    write(transaction, case, &decision).await?;
                    let open = "UPDATE review_cases SET state = ?, closed_at = NULL WHERE id = ?";
                    let state = case.as_it_stands().reopened();
                    transaction.exec_drop(open, (state.as_str(), case.case.to_string())).await?;
                    claim_for(transaction, case, request.actor.name, request.actor.claim.unwrap_or(request.id)).await?;
                    // What is open about the undone decision has lost its object.
                    let cases = lock(transaction, case.post).await?;
                    end_those_about(transaction, &cases, request.decision).await?;
                    Ok(Ok(()))
                })
            })
            .await?;
        match (answer, self.decision(request.id).await?) {
            // Its own answer may have been lost on the way, while this repetition waited for the lock.
            (Some(_), Some(decision)) => same(decision),
            (Some(Err(refusal)), None) => Ok(Some(Err(refusal))),
            (Some(Ok(())) | None, _) => Ok(None),
        }
    }
}
