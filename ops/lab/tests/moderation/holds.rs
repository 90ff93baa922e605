//! The protocol as it is: each test is another mixture of acts and faults, and every property holds in all of its
//! states.

use crate::check::{ends, holds};
use crate::rules::{Budget, Rules};

/// A world in which the forum hears at once.
fn people(budget: Budget) -> Rules {
    Rules { prompt: true, ..Rules::with(budget) }
}

#[test]
fn claims_that_lapse_and_answers_that_get_lost_decide_once() {
    let budget = Budget { claims: 2, decisions: 2, lapses: 1, lost: 1, ..Budget::default() };
    holds("two claims, two decisions, a lapse, an answer lost", people(budget));
}

#[test]
fn an_undo_reaches_the_forum_as_its_last_word_whatever_the_network_does() {
    let budget = Budget { decisions: 2, undos: 1, lost: 1, cuts: 1, pauses: 1, ..Budget::default() };
    holds("two decisions, an undo, an answer lost, a cut, a paused sender", Rules::with(budget));
}

#[test]
fn two_undos_of_one_decision_undo_it_once() {
    let budget = Budget { decisions: 1, undos: 3, lost: 1, ..Budget::default() };
    holds("a decision, three undos, an answer lost", people(budget));
}

#[test]
fn an_appeal_is_judged_by_somebody_else_though_the_rejection_is_undone_meanwhile() {
    let budget = Budget { claims: 1, decisions: 2, undos: 1, appeals: 1, ..Budget::default() };
    holds("a claim, two decisions, an undo, an appeal", people(budget));
    let budget = Budget { decisions: 3, appeals: 1, lost: 1, ..Budget::default() };
    holds("three decisions, an appeal, an answer lost", people(budget));
}

#[test]
fn a_second_opinion_is_blind_changes_nothing_and_ends_with_what_it_is_about() {
    let some = Budget { decisions: 3, seconds: 1, looks: 1, ..Budget::default() };
    holds("three decisions, a second review, a look", people(some));
    holds("and an undo", people(Budget { undos: 1, ..some }));
    holds("and an appeal, an answer lost", people(Budget { appeals: 1, lost: 1, ..some }));
    holds("and a claim, an escalation", people(Budget { claims: 1, escalations: 1, looks: 0, ..some }));
    holds("and a withdrawal", people(Budget { withdrawals: 1, ..some }));
}

#[test]
fn what_a_lead_decides_after_a_difference_may_be_undone_and_appealed_against() {
    let budget = Budget { decisions: 4, undos: 1, appeals: 1, seconds: 1, ..Budget::default() };
    holds("four decisions, a second review, an undo, an appeal", people(budget));
}

#[test]
fn a_post_that_is_gone_is_left_alone_by_whatever_was_on_its_way() {
    let budget =
        Budget { claims: 1, decisions: 1, undos: 1, appeals: 1, withdrawals: 1, escalations: 1, ..Budget::default() };
    holds("a claim, a decision, an undo, an appeal, an escalation, a withdrawal", people(budget));
}

#[test]
fn what_is_skipped_too_often_or_passed_on_is_decided_by_a_lead() {
    let budget = Budget { claims: 2, decisions: 1, skips: 1, escalations: 1, lapses: 1, ..Budget::default() };
    holds("two claims, a skip, an escalation, a lapse", Rules { handed_out: 4, ..people(budget) });
}

#[test]
fn a_post_that_comes_back_opens_nothing() {
    let budget = Budget { decisions: 2, undos: 1, redeliveries: 2, ..Budget::default() };
    holds("two decisions, an undo, two redeliveries", people(budget));
}

#[test]
fn once_nothing_more_goes_wrong_everything_comes_to_an_end() {
    let budget = Budget { decisions: 1, undos: 1, lost: 1, cuts: 1, pauses: 1, ..Budget::default() };
    ends("a decision, an undo, an answer lost, a cut, a paused sender", &Rules::with(budget));
}
