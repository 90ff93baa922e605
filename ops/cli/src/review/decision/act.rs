//! An act in bulk, case by case, as the command and the pages do it.
//!
//! A decision's id follows from the act's and the case's, and an undo's from the decision's: whoever does an act again
//! that was cut short, under its id, does nothing twice.

use sluice_core::failure::Failure;
use sluice_core::moderation::Role;
use sluice_core::moderation::act::{Actor, Refusal};
use sluice_mysql::Store;
use sluice_mysql::review::{Decision, DecisionRequest, Recheck, Release, Ruling, StoredCase, UndoRequest};
use uuid::Uuid;

/// The most posts of one act; whoever has more does another one.
pub(crate) const MOST: u32 = 10_000;
/// How many decisions are read at once.
const PAGE: u32 = 500;
/// What the id of the act that undoes an act is made of, beside that act's.
const UNDO: &[u8] = b"undo";

/// What became of one case: the decision, or why there is none. None: the case is gone.
pub(crate) type Outcome = Option<Result<Decision, Refusal>>;

/// What an act says of each of its posts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ActRequest<'a> {
    /// The act's id.
    pub(crate) act: Uuid,
    /// What it says.
    pub(crate) ruling: Ruling,
    /// Who says it.
    pub(crate) actor: Actor<'a>,
    /// The ids of the policies that are named.
    pub(crate) policies: &'a [String],
    /// Which policies file they are of.
    pub(crate) policyset: Option<&'a str>,
    /// A text for the authors.
    pub(crate) message: Option<&'a str>,
    /// A text for the team.
    pub(crate) note: Option<&'a str>,
    /// How the decisions may be checked again.
    pub(crate) recheck: Recheck,
}

impl ActRequest<'_> {
    /// Decides one case.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn decide(&self, store: &Store, case: Uuid) -> Result<Outcome, Failure> {
        let request = DecisionRequest {
            id: Uuid::new_v5(&self.act, case.as_bytes()),
            case,
            ruling: self.ruling,
            actor: self.actor,
            policies: self.policies,
            policyset: self.policyset,
            message: self.message,
            note: self.note,
            act: Some(self.act),
            recheck: self.recheck,
            expected: None,
        };
        store.decide(&request).await
    }
}

/// The cases with the text of this one that wait, and itself where it is this person's claim.
///
/// # Errors
/// The database's.
pub(crate) async fn choose(store: &Store, case: &StoredCase, name: &str) -> Result<Vec<Uuid>, Failure> {
    let mut chosen = store.waiting_with_text_of(case.case, MOST).await?;
    if case.claimed_by.as_deref() == Some(name) && case.state == "claimed" && !chosen.contains(&case.case) {
        chosen.insert(0, case.case);
    }
    Ok(chosen)
}

/// All decisions of an act.
///
/// # Errors
/// The database's.
pub(crate) async fn decisions(store: &Store, act: Uuid) -> Result<Vec<Decision>, Failure> {
    let mut all: Vec<Decision> = Vec::new();
    loop {
        let after = all.last().map(|decision| decision.decision);
        let page = store.decisions_of_act(act, after, PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// The id of the act that undoes this one.
pub(crate) fn undoing(act: Uuid) -> Uuid {
    Uuid::new_v5(&act, UNDO)
}

/// Undoes one decision of an act. Its case waits for anybody then: nobody can work on hundreds at once.
///
/// # Errors
/// The database's.
pub(crate) async fn undo(
    store: &Store,
    act: Uuid,
    decision: &Decision,
    (name, role): (&str, Role),
    note: Option<&str>,
) -> Result<Outcome, Failure> {
    let id = Uuid::new_v5(&decision.decision, UNDO);
    let actor = Actor { name, role, claim: Some(id) };
    let request = UndoRequest { id, decision: decision.decision, actor, note, act: Some(undoing(act)) };
    let outcome = store.undo(&request).await?;
    if matches!(outcome, Some(Ok(_))) {
        // Refused: it is not this claim's any more.
        let _ = store.release(decision.case, actor, Release::Released).await?;
    }
    Ok(outcome)
}
