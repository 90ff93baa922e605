//! What must hold in every state that can be reached, and what must be reachable so that the check says anything.

use sluice_core::disposition::Class;
use stateright::{Model, Property};

use crate::action::Action;
use crate::rules::{Nature, Protocol};
use crate::state::{DeadLetter, Replay, Stage, State};
use crate::step::Step;

pub(crate) const KEPT: &str = "an accepted post is somewhere";
pub(crate) const ONE_ROW: &str = "a post has at most one row";
pub(crate) const FOUNDED: &str = "only what is recorded or confirmed elsewhere is acknowledged";
pub(crate) const NOT_SPENT: &str = "an outage spends no attempt";
pub(crate) const NOT_BLAMED: &str = "no post dies of what is not its own fault";
pub(crate) const NOT_BACK: &str = "what is released does not come straight back";
pub(crate) const NOT_STOPPED: &str = "a post that fails alone stops no other";
pub(crate) const NOT_KEPT_LONG: &str = "no post is held for longer than the hold, however the gate flaps";
pub(crate) const SETTLED: &str = "what can go no further is settled";
/// Reached in some run, or the others would hold for want of anything that happens.
pub(crate) const DONE: &str = "a post is recorded or dead-lettered";

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::first(self).ordered()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        Action::all(self, state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        Some(Step::after(self, state, action))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(KEPT, |protocol: &Self, state: &State| posts(protocol).all(|post| state.has(post))),
            Property::always(ONE_ROW, |_, state: &State| state.rows.iter().all(|&rows| rows <= 1)),
            Property::always(FOUNDED, |_, state: &State| !state.unfounded_ack),
            Property::always(NOT_SPENT, |_, state: &State| {
                let waiting = |stage| matches!(stage, Stage::Taken | Stage::AtGate | Stage::Backoff);
                state
                    .all_in_flight()
                    .filter(|in_flight| waiting(in_flight.stage))
                    .all(|in_flight| in_flight.made == in_flight.faults)
            }),
            Property::always(NOT_BLAMED, |protocol: &Self, state: &State| {
                state.dead.iter().all(|dead_letter| deserved(protocol, dead_letter))
            }),
            Property::always(NOT_BACK, |_, state: &State| !state.came_straight_back),
            Property::always(NOT_STOPPED, |_, state: &State| !state.stopped_for_one),
            // The last of these pauses is the one in which it is released.
            Property::always(NOT_KEPT_LONG, |protocol: &Self, state: &State| {
                state.all_in_flight().all(|in_flight| in_flight.held <= protocol.hold + 1)
            }),
            Property::always(SETTLED, |protocol: &Self, state: &State| {
                protocol.goes_on(state) || settled(protocol, state)
            }),
            Property::sometimes(DONE, |_, state: &State| state.rows.contains(&1) || !state.dead.is_empty()),
        ]
    }
}

fn posts(protocol: &Protocol) -> impl Iterator<Item = u8> {
    (0u8..).take(protocol.posts.len())
}

/// Whether a post is where it belongs by its own nature.
fn deserved(protocol: &Protocol, dead_letter: &DeadLetter) -> bool {
    match (dead_letter.class, protocol.nature(dead_letter.post)) {
        (Class::Permanent, Nature::Malformed | Nature::Refused) | (Class::CrashLoop, Nature::Deadly) => true,
        (Class::Exhausted, Nature::Sound | Nature::Poisonous(_)) => {
            protocol.retry.max_attempts == Some(dead_letter.faults.into())
        }
        _ => false,
    }
}

impl Protocol {
    /// Whether something happens even if nothing more goes wrong.
    pub(crate) fn goes_on(&self, state: &State) -> bool {
        let mut actions = Vec::new();
        Action::all(self, state, &mut actions);
        actions.iter().any(|action| !action.is_fault())
    }

    /// The states after this one if nothing more goes wrong.
    pub(crate) fn undisturbed(&self, state: &State) -> Vec<State> {
        let mut actions = Vec::new();
        Action::all(self, state, &mut actions);
        actions.into_iter().filter(|action| !action.is_fault()).map(|action| Step::after(self, state, action)).collect()
    }
}

/// Nothing is under way, and each post is recorded or dead.
fn settled(protocol: &Protocol, state: &State) -> bool {
    let dead = |post| state.dead.iter().any(|dead_letter| dead_letter.post == post);
    state.ready.is_empty()
        && state.all_in_flight().next().is_none()
        && state.dead.iter().all(|dead_letter| dead_letter.replay == Replay::None)
        && posts(protocol).all(|post| state.rows[usize::from(post)] == 1 || dead(post))
}
