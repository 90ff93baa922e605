//! One check of the second review left out on purpose, each time another one.

use sluice_core::moderation::{CaseKind, CaseState};

use crate::check::refuted;
use crate::guards::{Guards, by_anybody, not_blind, without_opinion};
use crate::property::{CLOSES, DRAWN, OF_WHAT_STANDS, ONCE, OWN, QUIET, TOLD, UNSEEN};
use crate::rules::{Broken, Budget, Rules};

fn guarded(guards: Guards) -> Rules {
    Rules { guards, ..Rules::with(some()) }
}

fn some() -> Budget {
    Budget { decisions: 3, seconds: 1, looks: 1, ..Budget::default() }
}

#[test]
fn whoever_is_shown_the_first_decision_is_not_blind() {
    let guards = Guards { hides: |_, _| false, ..Guards::default() };
    refuted("nothing is hidden", guarded(guards), UNSEEN);
    // Hidden only while it waits for anybody: a lead to whom it was left is not blind.
    let guards = Guards {
        hides: |case, viewer| case.state == CaseState::Waiting && case.hides_decisions_from(viewer),
        ..Guards::default()
    };
    let budget = Budget { escalations: 1, ..some() };
    refuted("hidden while it waits", Rules { guards, ..Rules::with(budget) }, UNSEEN);
}

#[test]
fn a_second_opinion_of_the_first_decider_is_none() {
    let guards = Guards {
        opine: |case, actor, first, opinion| by_anybody(case).opine(actor, first, opinion),
        decide: |case, actor| by_anybody(case).decide(actor),
        ..Guards::default()
    };
    refuted("anybody gives it", guarded(guards), OWN);
}

#[test]
fn a_second_opinion_that_is_taken_for_a_decision_changes_what_stands() {
    let guards = Guards { decide: |case, actor| not_blind(case).decide(actor), ..Guards::default() };
    refuted("it decides", guarded(guards), QUIET);
}

#[test]
fn a_second_opinion_that_is_given_twice_is_noticed() {
    let guards = Guards {
        decide: |case, actor| without_opinion(case).decide(actor),
        opine: |case, actor, first, opinion| without_opinion(case).opine(actor, first, opinion),
        ..Guards::default()
    };
    refuted("nobody asks whether there is one", guarded(guards), ONCE);
}

#[test]
fn an_outcome_that_does_not_look_at_the_first_decision_is_noticed() {
    let guards = Guards { opine: |case, actor, _, opinion| case.opine(actor, opinion, opinion), ..Guards::default() };
    refuted("it always closes", guarded(guards), CLOSES);
    let guards = Guards {
        opine: |case, actor, first, opinion| match case.opine(actor, first, opinion) {
            Ok(_) => Ok(CaseState::Escalated),
            refused => refused,
        },
        ..Guards::default()
    };
    refuted("it is always for a lead", guarded(guards), CLOSES);
}

#[test]
fn a_second_review_that_an_undo_gives_to_anybody_is_decided_by_anybody() {
    let guards = Guards { reopened: |_| CaseState::Waiting, ..Guards::default() };
    let budget = Budget { decisions: 4, undos: 1, lapses: 1, seconds: 1, ..Budget::default() };
    refuted("it waits for anybody", Rules { guards, ..Rules::with(budget) }, QUIET);
}

#[test]
fn a_draw_that_does_not_look_at_who_decided_what_is_noticed() {
    let guards = Guards { drawn: |case, _| case.kind == CaseKind::Held, ..Guards::default() };
    refuted("a lead's is drawn", guarded(guards), DRAWN);
}

#[test]
fn a_second_review_that_outlives_what_it_is_about_is_noticed() {
    let undo = Rules { broken: Some(Broken::UndoKeepsTheSecond), ..Rules::with(Budget { undos: 1, ..some() }) };
    refuted("an undo keeps it", undo, OF_WHAT_STANDS);
    let appeal = Rules { broken: Some(Broken::AppealKeepsTheSecond), ..Rules::with(Budget { appeals: 1, ..some() }) };
    refuted("an appeal keeps it", appeal, OF_WHAT_STANDS);
}

#[test]
fn an_opinion_that_is_not_looked_for_makes_a_lost_answer_a_refusal() {
    let budget = Budget { lost: 1, ..some() };
    let rules = Rules { broken: Some(Broken::ForgetsOpinions), ..Rules::with(budget) };
    refuted("opinions are forgotten", rules, TOLD);
}
