//! One check left out on purpose, each time another one. A model that passes these as well would be worth nothing.

use crate::check::refuted;
use crate::guards::{Guards, as_lead, by_anybody, for_all, lapsed, not_gone, tokenless, unclaimed, undecided};
use crate::property::{AGAINST, DECIDED, FENCED, FORUM, GAPS, GONE, LAST, LEAD, LONG, ORDER, OWN, OWN_CLAIM, REOPENED};
use crate::property::{SAME, TAKEN, TOLD, UNDONE, YOURS};
use crate::rules::{Broken, Budget, Rules};

fn guarded(guards: Guards, budget: Budget) -> Rules {
    Rules { guards, ..Rules::with(budget) }
}

fn done(broken: Broken, budget: Budget) -> Rules {
    Rules { broken: Some(broken), ..Rules::with(budget) }
}

/// Of each thing one or two.
fn some() -> Budget {
    Budget { claims: 2, decisions: 2, ..Budget::default() }
}

#[test]
fn a_claim_that_does_not_look_at_the_others_takes_it_away() {
    let guards = Guards { claim: |case, actor| unclaimed(case).claim(actor), ..Guards::default() };
    refuted("claims are not looked at", guarded(guards, some()), TAKEN);
}

#[test]
fn a_claim_that_does_not_look_at_the_state_takes_what_is_closed_or_for_a_lead() {
    let guards = Guards { claim: |case, actor| undecided(case).claim(actor), ..Guards::default() };
    refuted("decided", guarded(guards, some()), DECIDED);
    let guards = Guards { claim: |case, actor| not_gone(case).claim(actor), ..Guards::default() };
    refuted("gone", guarded(guards, Budget { withdrawals: 1, ..some() }), GONE);
    let guards = Guards { claim: |case, actor| for_all(case).claim(actor), ..Guards::default() };
    refuted("escalated", guarded(guards, Budget { escalations: 1, ..some() }), LEAD);
}

#[test]
fn a_claim_that_does_not_look_at_whom_the_appeal_is_against_gives_it_to_them() {
    let guards = Guards { claim: |case, actor| by_anybody(case).claim(actor), ..Guards::default() };
    refuted("anybody claims", guarded(guards, Budget { appeals: 1, ..some() }), OWN_CLAIM);
}

#[test]
fn a_decision_that_does_not_look_at_whom_the_appeal_is_against_is_their_own() {
    let guards = Guards { decide: |case, actor| by_anybody(case).decide(actor), ..Guards::default() };
    refuted("anybody decides", guarded(guards, Budget { appeals: 1, ..some() }), OWN);
}

#[test]
fn a_decision_that_does_not_compare_tokens_is_made_by_whoever_was_fenced_out() {
    let budget = Budget { lapses: 1, skips: 1, ..some() };
    let guards = Guards { decide: |case, actor| lapsed(case).decide(tokenless(actor)), ..Guards::default() };
    refuted("no token is looked at", guarded(guards, budget), FENCED);
    // The same where the token's own claim was given back.
    let guards = Guards {
        decide: |case, actor| case.decide(if case.claim.is_none() { tokenless(actor) } else { actor }),
        ..Guards::default()
    };
    refuted("a claim that was given back", guarded(guards, budget), FENCED);
    // And where no token is shown at all, and somebody else has the case.
    let guards = Guards { decide: |case, actor| lapsed(case).decide(actor), ..Guards::default() };
    refuted("no token is shown", guarded(guards, some()), FENCED);
}

#[test]
fn a_decision_that_does_not_look_at_the_state_decides_twice_or_too_late_or_for_a_lead() {
    let guards = Guards { decide: |case, actor| undecided(case).decide(actor), ..Guards::default() };
    refuted("decided", guarded(guards, some()), DECIDED);
    let guards = Guards { decide: |case, actor| not_gone(case).decide(actor), ..Guards::default() };
    refuted("gone", guarded(guards, Budget { withdrawals: 1, ..some() }), GONE);
    let guards = Guards { decide: |case, actor| for_all(case).decide(actor), ..Guards::default() };
    refuted("escalated", guarded(guards, Budget { escalations: 1, ..some() }), LEAD);
}

#[test]
fn whoever_gives_back_a_claim_of_somebody_else_is_noticed() {
    let guards = Guards { hold: |_, _| Ok(()), ..Guards::default() };
    refuted("nothing is looked at", guarded(guards, Budget { skips: 1, lapses: 1, ..some() }), FENCED);
    refuted("nothing is looked at", guarded(guards, Budget { skips: 1, ..some() }), DECIDED);
}

#[test]
fn a_case_that_nobody_wants_goes_round_for_ever_without_the_count() {
    let guards = Guards { skipped: |case| case.state, ..Guards::default() };
    let rules = Rules { handed_out: 4, ..guarded(guards, Budget { skips: 1, ..some() }) };
    refuted("nobody counts", rules, LONG);
}

#[test]
fn an_undo_that_leaves_out_a_check_undoes_what_it_may_not() {
    let budget = Budget { decisions: 2, undos: 2, withdrawals: 1, ..Budget::default() };
    let undo = |undo| guarded(Guards { undo, ..Guards::default() }, budget);
    let any = undo(|case, actor, revision, by, undoes| {
        let case = sluice_core::moderation::Case { revision, ..case.clone() };
        case.undo(actor, revision, by, undoes)
    });
    refuted("any revision", any, LAST);
    refuted("an undo", undo(|case, actor, revision, by, _| case.undo(actor, revision, by, false)), UNDONE);
    let anybody = undo(|case, actor, revision, by, undoes| case.undo(as_lead(actor), revision, by, undoes));
    refuted("anybody", anybody, YOURS);
    let gone = undo(|case, actor, revision, by, undoes| not_gone(case).undo(actor, revision, by, undoes));
    refuted("gone", gone, GONE);
}

#[test]
fn a_standing_that_forgets_the_decision_is_not_what_the_forum_was_told() {
    let guards = Guards { standing: |review, _| review, ..Guards::default() };
    refuted("the review's word", guarded(guards, some()), FORUM);
}

#[test]
fn without_the_lock_two_people_decide_the_same_revision() {
    refuted("no lock", done(Broken::NoLock, some()), SAME);
}

#[test]
fn revisions_that_are_counted_for_each_case_have_gaps_or_doubles() {
    refuted("for each case", done(Broken::RevisionsOfTheCase, Budget { appeals: 1, ..some() }), GAPS);
}

#[test]
fn an_id_that_is_not_looked_for_makes_a_lost_answer_a_refusal() {
    refuted("ids are forgotten", done(Broken::ForgetsIds, Budget { lost: 1, ..some() }), TOLD);
}

#[test]
fn a_post_that_comes_back_and_opens_its_case_is_noticed() {
    let budget = Budget { redeliveries: 1, ..some() };
    refuted("a redelivery reopens", done(Broken::RedeliveryReopens, budget), REOPENED);
}

#[test]
fn an_appeal_that_outlives_what_it_is_against_is_noticed() {
    let budget = Budget { decisions: 2, undos: 1, appeals: 1, ..Budget::default() };
    refuted("an undo keeps the appeal", done(Broken::UndoKeepsTheAppeal, budget), AGAINST);
}

#[test]
fn events_out_of_order_reach_the_forum_out_of_order() {
    refuted("numbered in any order", done(Broken::NumbersInAnyOrder, some()), ORDER);
    refuted("sent in any order", done(Broken::SendsInAnyOrder, some()), ORDER);
}

#[test]
fn a_silence_that_is_taken_for_an_answer_loses_the_last_word() {
    refuted("silence", done(Broken::SilenceIsDelivery, Budget { cuts: 1, ..some() }), FORUM);
}

#[test]
fn a_forum_that_applies_whatever_comes_ends_with_an_old_word() {
    let budget = Budget { decisions: 1, pauses: 1, ..Budget::default() };
    refuted("any revision is applied", done(Broken::AppliesAnyRevision, budget), FORUM);
}
