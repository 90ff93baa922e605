//! One step done wrongly on purpose. A check that passes these as well would be worth nothing.

use sluice_core::failure::Kind;

use crate::action::Action;
use crate::check::{holds, refuted};
use crate::property::{FOUNDED, KEPT, NOT_BACK, NOT_BLAMED, NOT_KEPT_LONG, NOT_SPENT, NOT_STOPPED, ONE_ROW};
use crate::rules::{Broken, Counting, Faults, Nature, Protocol};

fn with(nature: Nature, faults: Faults, broken: Broken) -> Protocol {
    Protocol { faults, broken: Some(broken), ..Protocol::new(&[nature]) }
}

#[test]
fn an_ack_before_the_commit_loses_a_post_with_its_worker() {
    let faults = Faults { kills: 1, ..Faults::default() };
    let broken = || with(Nature::Sound, faults, Broken::AckBeforeCommit);
    refuted("ack before commit", &broken(), FOUNDED);
    let trace = refuted("ack before commit", &broken(), KEPT);
    assert!(matches!(trace.last(), Some(Action::Begin { .. })), "{trace:?}");
}

#[test]
fn an_ack_before_the_dead_letters_confirm_loses_a_post() {
    let broken = || with(Nature::Malformed, Faults::default(), Broken::AckBeforeConfirm);
    refuted("ack before confirm", &broken(), FOUNDED);
    refuted("ack before confirm", &broken(), KEPT);
}

#[test]
fn a_release_before_the_consumers_are_cancelled_comes_straight_back() {
    let faults = Faults { outages: 1, ..Faults::default() };
    let broken = with(Nature::Sound, faults, Broken::ReleaseBeforeCancel);
    let trace = refuted("release before cancel", &broken, NOT_BACK);
    assert!(trace.contains(&Action::Away), "{trace:?}");
}

#[test]
fn an_outage_that_spends_an_attempt_is_noticed_and_kills_posts() {
    let broken = |faults| with(Nature::Sound, faults, Broken::OutageSpendsAnAttempt);
    let outage = Faults { outages: 1, ..Faults::default() };
    refuted("an outage that counts", &broken(outage), NOT_SPENT);
    refuted("an outage that counts", &broken(Faults { deadlocks: 1, ..outage }), NOT_BLAMED);
}

#[test]
fn a_replay_that_takes_the_dead_letter_out_first_loses_a_post_with_its_operator() {
    let faults = Faults { replays: 1, lapses: 1, ..Faults::default() };
    refuted("replay acks first", &with(Nature::Malformed, faults, Broken::ReplayAcksFirst), KEPT);
}

/// Each worker that meets the outage holds the post and then releases it, and before RabbitMQ 4.3 each release counts:
/// the check found this in the product.
#[test]
fn a_release_that_always_counts_makes_one_long_outage_deadly() {
    let faults = Faults { outages: 1, ..Faults::default() };
    let broken = Protocol { max_deliveries: 2, ..with(Nature::Sound, faults, Broken::EachReleaseCounts) };
    let trace = refuted("as many workers as deliveries", &broken, NOT_BLAMED);
    let releases = trace.iter().filter(|action| matches!(action, Action::HoldOver { .. })).count();
    assert_eq!(releases, 2, "{trace:?}");
    let newer = Protocol { counting: Counting::EndsOnly, ..broken };
    holds("as many workers as deliveries, on RabbitMQ 4.3", newer);
}

#[test]
fn a_dead_letter_that_is_not_taken_and_then_released_becomes_a_crash_loop() {
    let faults = Faults { stops: 1, ..Faults::default() };
    let broken = with(Nature::Refused, faults, Broken::AnUntakenDeadLetterIsReleased);
    let trace = refuted("untaken and released", &Protocol { max_deliveries: 1, ..broken }, NOT_BLAMED);
    assert!(trace.iter().any(|action| matches!(action, Action::GiveUpDeadLetter { .. })), "{trace:?}");
}

#[test]
fn a_count_that_the_broker_has_not_written_kills_a_dead_letter_that_was_moved_back() {
    let faults = Faults { deadlocks: 2, moves: 1, ..Faults::default() };
    let trace = refuted("any count", &with(Nature::Sound, faults, Broken::AnyCountIsBelieved), NOT_BLAMED);
    assert!(trace.iter().any(|action| matches!(action, Action::MoveBack { .. })), "{trace:?}");
}

#[test]
fn rows_without_the_posts_key_become_two() {
    let faults = Faults { kills: 1, ..Faults::default() };
    refuted("each delivery its own key", &with(Nature::Sound, faults, Broken::EachDeliveryItsOwnKey), ONE_ROW);
}

#[test]
fn a_code_that_is_believed_stops_everybody_for_one_post_and_kills_posts_in_an_outage() {
    for kind in [Kind::Dependency, Kind::Operator] {
        let poisonous = with(Nature::Poisonous(kind), Faults::default(), Broken::BelievesTheCode);
        refuted("one post that looks like an outage", &poisonous, NOT_STOPPED);
    }
    // A lock on the table has the code of a lock on a row, and a trigger may refuse all.
    for outage in [Kind::Transient, Kind::Permanent] {
        let faults = Faults { outages: 1, ..Faults::default() };
        let believing = Protocol { outage, ..with(Nature::Sound, faults, Broken::BelievesTheCode) };
        refuted("an outage that looks like a post's own fault", &believing, NOT_BLAMED);
    }
}

#[test]
fn a_hold_that_each_flap_begins_anew_keeps_a_post_for_as_long_as_the_gate_flaps() {
    let faults = Faults { outages: 3, ..Faults::default() };
    let broken = Protocol { workers: 1, ..with(Nature::Sound, faults, Broken::FlapRestartsTheHold) };
    let trace = refuted("a flap restarts the hold", &broken, NOT_KEPT_LONG);
    assert!(trace.iter().filter(|action| matches!(action, Action::Probe { .. })).count() >= 2, "{trace:?}");
}
