//! The protocol as it is: each test is another mixture of posts and faults, and every property holds in all of its
//! states.

use sluice_core::failure::Kind;

use crate::check::{ends, holds};
use crate::rules::{Counting, Faults, Nature, Protocol};

/// More deliveries than these faults can bring: what happens at the limit is a matter of `price`.
fn outages() -> Protocol {
    let faults = Faults { kills: 1, stops: 1, outages: 1, lost: 1, ..Faults::default() };
    Protocol { max_deliveries: 6, faults, ..Protocol::new(&[Nature::Sound]) }
}

#[test]
fn a_post_survives_an_outage_with_kills_and_stops_in_it() {
    holds("an outage, a kill, a stop, an answer lost", outages());
}

#[test]
fn it_does_so_whatever_the_broker_counts_and_whoever_is_to_blame() {
    holds("the same on RabbitMQ 4.3", Protocol { counting: Counting::EndsOnly, ..outages() });
    holds("the same with a table missing", Protocol { outage: Kind::Operator, ..outages() });
    holds("the same with a lock on the table", Protocol { outage: Kind::Transient, ..outages() });
    holds("the same with a trigger that refuses all", Protocol { outage: Kind::Permanent, ..outages() });
}

#[test]
fn a_post_that_fails_alone_is_exhausted_whatever_its_error_looks_like_and_stops_no_other() {
    for kind in [Kind::Dependency, Kind::Operator, Kind::Transient] {
        let faults = Faults { kills: 1, outages: 1, replays: 1, ..Faults::default() };
        let protocol = Protocol { faults, ..Protocol::new(&[Nature::Poisonous(kind)]) };
        holds("a poisonous post, an outage, a kill, a replay", protocol.clone());
        ends("a poisonous post", &protocol);
        let faults = Faults { outages: 1, ..Faults::default() };
        let posts = [Nature::Poisonous(kind), Nature::Sound];
        holds("a poisonous post, its neighbour, an outage", Protocol { workers: 1, faults, ..Protocol::new(&posts) });
    }
}

#[test]
fn no_flapping_keeps_a_post_in_flight_for_longer_than_the_hold() {
    let faults = Faults { outages: 4, ..Faults::default() };
    for hold in [1, 2] {
        let protocol = Protocol { workers: 1, hold, max_deliveries: 9, faults, ..Protocol::new(&[Nature::Sound]) };
        holds("four outages", protocol);
    }
}

#[test]
fn an_outage_that_passes_a_post_through_every_worker_does_not_make_it_a_crash_loop() {
    let faults = Faults { outages: 1, stops: 1, ..Faults::default() };
    for max_deliveries in [1, 2, 3] {
        let protocol = Protocol { max_deliveries, faults, ..Protocol::new(&[Nature::Sound]) };
        holds("as many workers as deliveries, an outage, a stop", protocol.clone());
        ends("as many workers as deliveries", &protocol);
    }
}

#[test]
fn two_posts_in_two_workers_survive_it_together() {
    let faults = Faults { kills: 1, stops: 1, outages: 1, ..Faults::default() };
    holds(
        "two posts, an outage, a kill, a stop",
        Protocol { faults, ..Protocol::new(&[Nature::Sound, Nature::Sound]) },
    );
}

#[test]
fn two_posts_in_the_hands_of_one_worker_survive_it_together() {
    let faults = Faults { breaks: 1, stops: 1, outages: 1, ..Faults::default() };
    let protocol = Protocol { workers: 1, consumers: 2, faults, ..Protocol::new(&[Nature::Sound, Nature::Sound]) };
    holds("two consumers, an outage, a stop, a session that breaks", protocol);
}

#[test]
fn two_workers_of_two_hands_each_survive_an_outage_and_a_kill() {
    let faults = Faults { kills: 1, outages: 1, ..Faults::default() };
    let protocol = Protocol { consumers: 2, faults, ..Protocol::new(&[Nature::Sound, Nature::Sound]) };
    holds("two workers of two consumers, an outage, a kill", protocol);
}

#[test]
fn attempts_are_spent_by_deadlocks_only() {
    let faults = Faults { deadlocks: 3, outages: 1, kills: 1, lost: 1, ..Faults::default() };
    holds("deadlocks, an outage, a kill, an answer lost", Protocol { faults, ..Protocol::new(&[Nature::Sound]) });
}

#[test]
fn what_cannot_be_stored_becomes_a_dead_letter_and_is_replayed_without_loss() {
    for bad in [Nature::Malformed, Nature::Refused] {
        let faults = Faults { kills: 1, breaks: 1, lost: 1, replays: 1, lapses: 1, ..Faults::default() };
        let protocol = Protocol { faults, ..Protocol::new(&[bad]) };
        holds("a bad post, a kill, a break, a confirm lost, a replay, a replay killed", protocol);
    }
}

#[test]
fn a_dead_letter_that_is_moved_back_by_the_brokers_own_means_dies_of_nothing_but_its_own_fault() {
    let faults = Faults { deadlocks: 2, kills: 1, stops: 2, moves: 1, ..Faults::default() };
    for counting in [Counting::EachReturn, Counting::EndsOnly] {
        let protocol = Protocol { counting, faults, ..Protocol::new(&[Nature::Sound]) };
        holds("exhausted, moved back, a kill, two stops", protocol);
    }
}

#[test]
fn a_dead_letter_that_nobody_takes_keeps_its_reason_through_every_worker() {
    let faults = Faults { stops: 2, ..Faults::default() };
    for max_deliveries in [1, 2] {
        holds("a bad post, two stops", Protocol { max_deliveries, faults, ..Protocol::new(&[Nature::Refused]) });
    }
}

#[test]
fn an_exhausted_post_is_replayed_into_its_row() {
    let faults = Faults { deadlocks: 2, kills: 1, replays: 2, lapses: 1, duplicates: 1, ..Faults::default() };
    holds("exhausted, replayed, sent twice", Protocol { faults, ..Protocol::new(&[Nature::Sound]) });
}

#[test]
fn a_post_that_kills_whoever_takes_it_is_dead_lettered_and_a_neighbour_elsewhere_is_stored() {
    let faults = Faults { outages: 1, replays: 1, ..Faults::default() };
    let protocol = Protocol { max_deliveries: 3, faults, ..Protocol::new(&[Nature::Deadly, Nature::Sound]) };
    holds("a deadly post, its neighbour, an outage", protocol);
}

#[test]
fn once_nothing_more_goes_wrong_everything_comes_to_an_end() {
    ends("an outage, a kill, a stop, an answer lost", &outages());
    let faults = Faults { kills: 1, lost: 1, replays: 1, lapses: 1, ..Faults::default() };
    ends("a bad post", &Protocol { faults, ..Protocol::new(&[Nature::Malformed]) });
    let faults = Faults { outages: 1, ..Faults::default() };
    ends(
        "two consumers",
        &Protocol { workers: 1, consumers: 2, faults, ..Protocol::new(&[Nature::Sound, Nature::Sound]) },
    );
}
