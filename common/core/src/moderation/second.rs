//! The blind second review: who sees what of the first decision, and what follows from the second opinion.

use super::act::{Actor, Refusal};
use super::case::{Case, CaseKind, CaseState};
use super::event::Cause;
use crate::verdict::Verdict;

impl Case {
    /// Whether a decision on this case, made for this cause, may be drawn for a second review: a moderator's, on a post
    /// that the review held. Leads and appeals look a second time themselves.
    #[must_use]
    pub fn may_be_drawn(&self, cause: Cause) -> bool {
        self.kind == CaseKind::Held && cause == Cause::Moderator
    }

    /// Whether it waits for an opinion that must not be influenced by the first decision.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        self.kind == CaseKind::Second && self.state.is_open() && !self.has_opinion
    }

    /// Whether this person must not see the decisions on the post because of this case: whoever may still give the
    /// opinion. That is everybody but the first decider; nobody who is named is anybody.
    #[must_use]
    pub fn hides_decisions_from(&self, viewer: Option<&str>) -> bool {
        self.is_blind() && (viewer.is_none() || viewer != self.not_by.as_deref())
    }

    /// What becomes of a second review once this person has given their opinion: agreement closes it, a difference is
    /// for a lead.
    ///
    /// # Errors
    /// Why their opinion is not taken.
    pub fn opine(&self, actor: Actor<'_>, first: Verdict, opinion: Verdict) -> Result<CaseState, Refusal> {
        match self.decide(actor) {
            Err(Refusal::NeedsOpinion) if opinion == first => Ok(CaseState::Decided),
            Err(Refusal::NeedsOpinion) => Ok(CaseState::Escalated),
            Err(refusal) => Err(refusal),
            Ok(()) => Err(Refusal::Decided),
        }
    }

    /// The state in which an undo of its decision leaves it. A second review was for a lead by then.
    #[must_use]
    pub fn reopened(&self) -> CaseState {
        if self.kind == CaseKind::Second { CaseState::Escalated } else { CaseState::Waiting }
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::Role;
    use super::*;
    use Verdict::{Approved, Rejected};

    fn second() -> Case {
        Case {
            kind: CaseKind::Second,
            state: CaseState::Waiting,
            claim: None,
            handed_out: 0,
            not_by: Some("ann".to_owned()),
            revision: 1,
            has_opinion: false,
        }
    }

    fn actor(name: &str) -> Actor<'_> {
        Actor { name, role: Role::Moderator, claim: None }
    }

    #[test]
    fn agreement_closes_a_second_review_and_a_difference_is_for_a_lead() {
        let case = second();
        assert_eq!(case.opine(actor("bob"), Rejected, Rejected), Ok(CaseState::Decided));
        assert_eq!(case.opine(actor("bob"), Rejected, Approved), Ok(CaseState::Escalated));
        assert_eq!(case.opine(actor("ann"), Rejected, Rejected), Err(Refusal::OwnDecision));
        assert_eq!(case.decide(actor("bob")), Err(Refusal::NeedsOpinion));
        assert_eq!(case.escalate(actor("bob")), Ok(()));
    }

    #[test]
    fn an_opinion_is_given_once_and_then_a_lead_decides() {
        let differs = Case { state: CaseState::Escalated, has_opinion: true, ..second() };
        let lead = Actor { role: Role::Lead, ..actor("lea") };
        assert_eq!(differs.opine(lead, Rejected, Rejected), Err(Refusal::Decided));
        assert_eq!((differs.decide(lead), differs.decide(actor("cid"))), (Ok(()), Err(Refusal::NeedsLead)));
        assert_eq!(differs.reopened(), CaseState::Escalated);
        assert_eq!(Case { kind: CaseKind::Held, ..differs }.reopened(), CaseState::Waiting);
        // One that was left to a lead before anybody gave an opinion is still blind.
        let passed_on = Case { state: CaseState::Escalated, ..second() };
        assert_eq!(passed_on.opine(lead, Approved, Rejected), Ok(CaseState::Escalated));
    }

    #[test]
    fn whoever_may_still_give_the_opinion_sees_no_decision() {
        let case = second();
        assert!(case.hides_decisions_from(Some("bob")) && case.hides_decisions_from(None));
        assert!(!case.hides_decisions_from(Some("ann")), "it is theirs");
        for over in [
            Case { state: CaseState::Decided, ..second() },
            Case { state: CaseState::Withdrawn, ..second() },
            Case { state: CaseState::Escalated, has_opinion: true, ..second() },
            Case { kind: CaseKind::Appeal, ..second() },
        ] {
            assert!(!over.hides_decisions_from(Some("bob")), "{over:?}");
        }
    }

    #[test]
    fn only_a_moderators_decision_on_a_held_post_is_drawn() {
        let of = |kind| Case { kind, ..second() };
        for kind in CaseKind::ALL.iter().copied() {
            for cause in Cause::ALL.iter().copied() {
                let drawn = kind == CaseKind::Held && cause == Cause::Moderator;
                assert_eq!(of(kind).may_be_drawn(cause), drawn, "{kind} {cause}");
            }
        }
    }
}
