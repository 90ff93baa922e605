//! The guards: what an act makes of a case, or why it is refused.
//!
//! Pure, so that the store, which has locked the case, and the model, which tries every order, ask the same function.

use serde::Serialize;
use uuid::Uuid;

use super::case::{Case, CaseState, Claim, Role};
use crate::verdict::Verdict;

/// After how many claims a case that is skipped once more goes to a lead.
pub const HANDED_OUT_MOST: u16 = 5;

/// Why an act on a case is refused. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "conflict", rename_all = "snake_case")]
pub enum Refusal {
    /// Somebody else holds a claim on it, or claimed it after the token that was shown.
    Claimed(Claim),
    /// The token that was shown is of a claim that was given back.
    ClaimEnded,
    /// It is decided already.
    Decided,
    /// The forum said that the post is gone.
    Withdrawn,
    /// It waits for a lead.
    NeedsLead,
    /// The decision that is appealed against, or reviewed a second time, is this person's own.
    OwnDecision,
    /// It is a blind second review: an opinion is asked for first, and no decision.
    NeedsOpinion,
    /// The post's decisions have gone on to this revision.
    Superseded {
        /// The highest revision that there is.
        revision: u32,
    },
    /// Only the one who decided, or a lead, may undo.
    NotYours,
    /// There is nothing that could be undone: it undoes another decision itself.
    NotUndoable,
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor<'a> {
    /// By which name.
    pub name: &'a str,
    /// As what.
    pub role: Role,
    /// The token of their claim, where they show one.
    pub claim: Option<Uuid>,
}

impl Case {
    /// Whether this person may have the case next.
    ///
    /// # Errors
    /// Why not.
    pub fn claim(&self, actor: Actor<'_>) -> Result<(), Refusal> {
        self.open(actor)?;
        match &self.claim {
            // A token of one's own is another window: it shares no claim with the first one.
            Some(claim) if claim.live && Some(claim.token) != actor.claim => Err(Refusal::Claimed(claim.clone())),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether this person may decide it. A claim whose time is over still counts until somebody else has claimed: the
    /// token fences, not the clock.
    ///
    /// # Errors
    /// Why not.
    pub fn decide(&self, actor: Actor<'_>) -> Result<(), Refusal> {
        self.escalate(actor)?;
        if self.is_blind() { Err(Refusal::NeedsOpinion) } else { Ok(()) }
    }

    /// Whether this person may leave it to a lead. That does not need a claim, but nobody else may hold one.
    ///
    /// # Errors
    /// Why not.
    pub fn escalate(&self, actor: Actor<'_>) -> Result<(), Refusal> {
        self.open(actor)?;
        self.held_by(actor)
    }

    /// Whether this person may give it back, skip it or extend their claim: they have to hold one.
    ///
    /// # Errors
    /// Why not.
    pub fn hold(&self, actor: Actor<'_>) -> Result<(), Refusal> {
        self.open(actor)?;
        if self.claim.is_none() { Err(Refusal::ClaimEnded) } else { self.held_by(actor) }
    }

    /// The state after it was skipped.
    #[must_use]
    pub fn skipped(&self) -> CaseState {
        if self.handed_out >= HANDED_OUT_MOST { CaseState::Escalated } else { self.state }
    }

    /// Whether this person may undo the decision of this revision, by `decided_by`.
    ///
    /// # Errors
    /// Why not.
    pub fn undo(&self, actor: Actor<'_>, revision: u32, decided_by: &str, undoes: bool) -> Result<(), Refusal> {
        match self.state {
            CaseState::Withdrawn => Err(Refusal::Withdrawn),
            _ if self.revision > revision => Err(Refusal::Superseded { revision: self.revision }),
            _ if undoes => Err(Refusal::NotUndoable),
            _ if actor.role != Role::Lead && actor.name != decided_by => Err(Refusal::NotYours),
            CaseState::Waiting | CaseState::Escalated | CaseState::Decided => Ok(()),
        }
    }

    fn open(&self, actor: Actor<'_>) -> Result<(), Refusal> {
        match self.state {
            CaseState::Decided => Err(Refusal::Decided),
            CaseState::Withdrawn => Err(Refusal::Withdrawn),
            _ if self.not_by.as_deref() == Some(actor.name) => Err(Refusal::OwnDecision),
            CaseState::Escalated if actor.role != Role::Lead => Err(Refusal::NeedsLead),
            CaseState::Waiting | CaseState::Escalated => Ok(()),
        }
    }

    fn held_by(&self, actor: Actor<'_>) -> Result<(), Refusal> {
        match (&self.claim, actor.claim) {
            (Some(claim), Some(token)) if claim.token != token => Err(Refusal::Claimed(claim.clone())),
            (Some(claim), None) if claim.live && claim.by != actor.name => Err(Refusal::Claimed(claim.clone())),
            (None, Some(_)) => Err(Refusal::ClaimEnded),
            (Some(_), _) | (None, None) => Ok(()),
        }
    }
}

/// What stands for a post: the decision of the highest revision, else what the review said.
#[must_use]
pub fn standing(review: Verdict, last: Option<Verdict>) -> Verdict {
    last.unwrap_or(review)
}

#[cfg(test)]
mod tests {
    use super::super::case::CaseKind;
    use super::*;
    use time::OffsetDateTime;

    const MINE: Uuid = Uuid::from_u128(1);
    const THEIRS: Uuid = Uuid::from_u128(2);

    fn claim(token: Uuid, by: &str, live: bool) -> Option<Claim> {
        Some(Claim { token, by: by.to_owned(), until: OffsetDateTime::UNIX_EPOCH, live })
    }

    fn case(claim: Option<Claim>) -> Case {
        let (kind, state) = (CaseKind::Held, CaseState::Waiting);
        Case { kind, state, claim, handed_out: 1, not_by: None, revision: 0, has_opinion: false }
    }

    fn ann(claim: Option<Uuid>) -> Actor<'static> {
        Actor { name: "ann", role: Role::Moderator, claim }
    }

    #[test]
    fn a_late_decision_counts_until_somebody_else_has_claimed() {
        assert_eq!(case(claim(MINE, "ann", false)).decide(ann(Some(MINE))), Ok(()));
        let taken = case(claim(THEIRS, "bob", false));
        assert!(matches!(taken.decide(ann(Some(MINE))), Err(Refusal::Claimed(claim)) if claim.by == "bob"));
        assert_eq!(case(None).decide(ann(Some(MINE))), Err(Refusal::ClaimEnded));
    }

    #[test]
    fn without_a_token_the_name_counts_while_the_claim_lives() {
        assert_eq!(case(claim(MINE, "ann", true)).decide(ann(None)), Ok(()));
        assert_eq!(case(claim(THEIRS, "bob", false)).decide(ann(None)), Ok(()));
        assert!(matches!(case(claim(THEIRS, "bob", true)).decide(ann(None)), Err(Refusal::Claimed(_))));
        assert_eq!(case(None).decide(ann(None)), Ok(()));
    }

    #[test]
    fn two_windows_of_one_person_share_no_claim() {
        assert!(matches!(case(claim(MINE, "ann", true)).claim(ann(Some(THEIRS))), Err(Refusal::Claimed(_))));
        assert_eq!(case(claim(MINE, "ann", true)).claim(ann(Some(MINE))), Ok(()));
        assert_eq!(case(claim(MINE, "ann", false)).claim(ann(Some(THEIRS))), Ok(()));
    }

    #[test]
    fn a_case_that_is_closed_or_not_for_this_person_is_refused_by_every_act() {
        for (state, refusal) in [
            (CaseState::Decided, Refusal::Decided),
            (CaseState::Withdrawn, Refusal::Withdrawn),
            (CaseState::Escalated, Refusal::NeedsLead),
        ] {
            let case = Case { state, ..case(claim(MINE, "ann", true)) };
            for answer in [case.claim(ann(Some(MINE))), case.decide(ann(Some(MINE))), case.hold(ann(Some(MINE)))] {
                assert_eq!(answer, Err(refusal.clone()));
            }
        }
        let own = Case { not_by: Some("ann".to_owned()), ..case(None) };
        assert_eq!(
            (own.claim(ann(None)), own.decide(ann(None))),
            (Err(Refusal::OwnDecision), Err(Refusal::OwnDecision))
        );
        let lead = Actor { role: Role::Lead, ..ann(None) };
        assert_eq!(Case { state: CaseState::Escalated, ..case(None) }.decide(lead), Ok(()));
    }

    #[test]
    fn only_the_last_decision_is_undone_and_only_by_whom_it_is_or_a_lead() {
        let decided = Case { state: CaseState::Decided, revision: 3, ..case(None) };
        assert_eq!(decided.undo(ann(None), 3, "ann", false), Ok(()));
        assert_eq!(decided.undo(ann(None), 2, "ann", false), Err(Refusal::Superseded { revision: 3 }));
        assert_eq!(decided.undo(ann(None), 3, "bob", false), Err(Refusal::NotYours));
        assert_eq!(decided.undo(Actor { role: Role::Lead, ..ann(None) }, 3, "bob", false), Ok(()));
        assert_eq!(decided.undo(ann(None), 3, "ann", true), Err(Refusal::NotUndoable));
        let gone = Case { state: CaseState::Withdrawn, ..decided };
        assert_eq!(gone.undo(ann(None), 3, "ann", false), Err(Refusal::Withdrawn));
    }

    #[test]
    fn a_case_that_is_skipped_too_often_goes_to_a_lead() {
        let skipped = |handed_out| Case { handed_out, ..case(None) }.skipped();
        assert_eq!(
            (skipped(HANDED_OUT_MOST - 1), skipped(HANDED_OUT_MOST)),
            (CaseState::Waiting, CaseState::Escalated)
        );
    }
}
