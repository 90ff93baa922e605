//! The product's guards, and each with one check left out.

use sluice_core::moderation::act::{Actor, Refusal, standing};
use sluice_core::moderation::{Case, CaseKind, CaseState, Cause, Role};
use sluice_core::verdict::Verdict;

type Guard = fn(&Case, Actor<'_>) -> Result<(), Refusal>;
type Opine = fn(&Case, Actor<'_>, Verdict, Verdict) -> Result<CaseState, Refusal>;
type Undo = fn(&Case, Actor<'_>, u32, &str, bool) -> Result<(), Refusal>;

/// What the database asks before it writes.
#[derive(Clone, Copy)]
pub(crate) struct Guards {
    pub(crate) claim: Guard,
    pub(crate) decide: Guard,
    pub(crate) escalate: Guard,
    pub(crate) hold: Guard,
    pub(crate) skipped: fn(&Case) -> CaseState,
    pub(crate) undo: Undo,
    pub(crate) drawn: fn(&Case, Cause) -> bool,
    pub(crate) hides: fn(&Case, Option<&str>) -> bool,
    pub(crate) opine: Opine,
    pub(crate) reopened: fn(&Case) -> CaseState,
    pub(crate) standing: fn(Verdict, Option<Verdict>) -> Verdict,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            claim: |case, actor| case.claim(actor),
            decide: |case, actor| case.decide(actor),
            escalate: |case, actor| case.escalate(actor),
            hold: |case, actor| case.hold(actor),
            skipped: Case::skipped,
            undo: |case, actor, revision, by, undoes| case.undo(actor, revision, by, undoes),
            drawn: |case, cause| case.may_be_drawn(cause),
            hides: |case, viewer| case.hides_decisions_from(viewer),
            opine: |case, actor, first, opinion| case.opine(actor, first, opinion),
            reopened: Case::reopened,
            standing,
        }
    }
}

/// The case as if its decision had not been looked at.
pub(crate) fn undecided(case: &Case) -> Case {
    open_if(case, CaseState::Decided)
}

/// As if nobody had asked whether the post is gone.
pub(crate) fn not_gone(case: &Case) -> Case {
    open_if(case, CaseState::Withdrawn)
}

/// As if any moderator might have it.
pub(crate) fn for_all(case: &Case) -> Case {
    open_if(case, CaseState::Escalated)
}

/// As if nobody were excluded.
pub(crate) fn by_anybody(case: &Case) -> Case {
    Case { not_by: None, ..case.clone() }
}

/// As if nobody had a claim.
pub(crate) fn unclaimed(case: &Case) -> Case {
    Case { claim: None, ..case.clone() }
}

/// As if the claim had lapsed.
pub(crate) fn lapsed(case: &Case) -> Case {
    let claim = case.claim.clone().map(|claim| sluice_core::moderation::Claim { live: false, ..claim });
    Case { claim, ..case.clone() }
}

/// As if nobody had shown a token.
pub(crate) fn tokenless(actor: Actor<'_>) -> Actor<'_> {
    Actor { claim: None, ..actor }
}

/// As if it were a lead.
pub(crate) fn as_lead(actor: Actor<'_>) -> Actor<'_> {
    Actor { role: Role::Lead, ..actor }
}

/// As if it were no second review.
pub(crate) fn not_blind(case: &Case) -> Case {
    Case { kind: CaseKind::Held, ..case.clone() }
}

/// As if nobody had given an opinion.
pub(crate) fn without_opinion(case: &Case) -> Case {
    Case { has_opinion: false, ..case.clone() }
}

fn open_if(case: &Case, state: CaseState) -> Case {
    let open = if case.state == state { CaseState::Waiting } else { case.state };
    Case { state: open, ..case.clone() }
}
