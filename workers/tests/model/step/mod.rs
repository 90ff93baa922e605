//! What each action does to the state. What follows from an outcome is not written here: the product's own
//! `decide` and `allows_another` are asked.

mod around;
mod process;
mod settle;

use sluice_core::disposition::{Blame, Disposition, Outcome, blame, decide};
use sluice_core::failure::{Failure, Kind};

use crate::action::Action;
use crate::rules::{Broken, Nature, Protocol};
use crate::state::{Answer, InFlight, Session, Stage, State};

/// How often a dead letter was looked at before it is moved back: more often than any limit of a check.
const LOOKS: u8 = 9;

/// A state in the making.
pub(crate) struct Step<'a> {
    protocol: &'a Protocol,
    state: State,
}

/// A failure that a plain row meets as well, or not.
fn failed(protocol: &Protocol, kind: Kind, plain: bool) -> Outcome {
    let failure = Failure::new(kind, "model", "model");
    let asked = if plain { Ok(()) } else { Err(failure.clone()) };
    let whom = match (protocol.is(Broken::BelievesTheCode), kind) {
        (false, _) => blame(&failure, &asked),
        (true, Kind::Permanent | Kind::Transient) => Blame::Post,
        (true, Kind::Dependency | Kind::Operator) => Blame::EveryPost,
    };
    Outcome::Failed(failure, whom)
}

impl<'a> Step<'a> {
    /// The state after an action that was possible.
    pub(crate) fn after(protocol: &'a Protocol, state: &State, action: Action) -> State {
        let mut step = Self { protocol, state: state.clone() };
        step.take(action);
        step.state.ordered()
    }

    fn take(&mut self, action: Action) {
        match action {
            Action::Deliver { w, k, i } => self.deliver(w, k, i),
            Action::Admit { w, k } => self.admit(w, k),
            Action::Begin { w, k } => self.begin(w, k),
            Action::Commit { w, k } => self.commit(w, k),
            Action::Refuse { w, k } => self.fails_alone(w, k, Kind::Permanent),
            Action::Poisoned { w, k } => match self.protocol.nature(self.in_flight(w, k).message.post) {
                Nature::Poisonous(kind) => self.fails_alone(w, k, kind),
                other => unreachable!("{other:?} is not poisonous"),
            },
            Action::Deadlock { w, k } => {
                self.state.left.deadlocks -= 1;
                self.fails_alone(w, k, Kind::Transient);
            }
            Action::Unanswered { w, k, committed, plain } => {
                self.state.left.lost -= 1;
                if committed {
                    self.commit(w, k);
                }
                if plain {
                    self.in_flight(w, k).stage = Stage::Inserting;
                } else {
                    self.conclude(w, k, failed(self.protocol, Kind::Dependency, false));
                }
            }
            Action::Unreachable { w, k } => self.conclude(w, k, failed(self.protocol, self.protocol.outage, false)),
            Action::Answered { w, k } => self.conclude(w, k, Outcome::Recorded),
            Action::Settle { w, k } => self.settle(w, k),
            Action::Publish { w, k } => self.publish(w, k),
            Action::PublishUnconfirmed { w, k } => {
                self.state.left.lost -= 1;
                self.dead_letter(w, k);
                if self.in_flight(w, k).stage == Stage::Settling(Answer::Republish) {
                    self.in_flight(w, k).stage = Stage::Settling(Answer::Release);
                }
            }
            Action::GiveUpDeadLetter { w, k } => {
                let answer = match self.protocol.is(Broken::AnUntakenDeadLetterIsReleased) {
                    true => Answer::Release,
                    false => self.given_back(w, k),
                };
                self.in_flight(w, k).stage = Stage::Settling(answer);
            }
            Action::Open { .. }
            | Action::Probe { .. }
            | Action::Steady { .. }
            | Action::HoldOver { .. }
            | Action::Withdraw { .. }
            | Action::CancelLate { .. }
            | Action::Close { .. }
            | Action::Start { .. }
            | Action::Stop { .. } => self.process(action),
            Action::Kill { w } => {
                self.state.left.kills -= 1;
                self.die(w);
            }
            Action::Break { w } => self.break_off(w),
            _ => self.around(action),
        }
    }

    fn in_flight(&mut self, w: usize, k: usize) -> &mut InFlight {
        self.state.workers[w].consumers[k].as_mut().expect("the action was possible")
    }

    fn session(&mut self, w: usize) -> &mut Session {
        self.state.workers[w].session.as_mut().expect("the action was possible")
    }

    fn deliver(&mut self, w: usize, k: usize, i: usize) {
        let message = self.state.ready.remove(i);
        if self.session(w).released & (1 << message.post) != 0 {
            self.state.came_straight_back = true;
        }
        let in_flight = InFlight { message, stage: Stage::Taken, made: 0, faults: 0, held: 0, gone: false };
        self.state.workers[w].consumers[k] = Some(in_flight);
    }

    fn admit(&mut self, w: usize, k: usize) {
        let returns = self.returns(w, k);
        if returns >= self.protocol.max_deliveries {
            self.conclude(w, k, Outcome::Redelivered { deliveries: returns.into() });
        } else if self.session(w).withdrawn {
            self.conclude(w, k, Outcome::Interrupted);
        } else {
            self.in_flight(w, k).stage = Stage::AtGate;
        }
    }

    fn begin(&mut self, w: usize, k: usize) {
        let nature = self.protocol.nature(self.in_flight(w, k).message.post);
        if nature == Nature::Deadly {
            return self.die(w);
        }
        let in_flight = self.in_flight(w, k);
        in_flight.made += 1;
        in_flight.stage = Stage::Inserting;
        match nature {
            Nature::Malformed => self.conclude(w, k, failed(self.protocol, Kind::Permanent, true)),
            _ if self.protocol.is(Broken::AckBeforeCommit) => self.acknowledge(w, k, false),
            _ => {}
        }
    }

    fn commit(&mut self, w: usize, k: usize) {
        let post = self.in_flight(w, k).message.post;
        self.store(post.into());
        self.in_flight(w, k).stage = Stage::Committed;
    }

    /// `INSERT … ON DUPLICATE KEY UPDATE id = id`.
    fn store(&mut self, post: usize) {
        let rows = &mut self.state.rows[post];
        *rows = if self.protocol.is(Broken::EachDeliveryItsOwnKey) { *rows + 1 } else { 1 };
    }

    /// Its insert fails and a plain row does not.
    fn fails_alone(&mut self, w: usize, k: usize, kind: Kind) {
        self.in_flight(w, k).faults += 1;
        self.conclude(w, k, failed(self.protocol, kind, true));
        let in_flight = self.state.workers[w].consumers[k];
        self.state.stopped_for_one |= in_flight.is_some_and(|in_flight| in_flight.stage == Stage::AtGate);
    }

    /// workers/src/handler/mod.rs, `Handler::conclude`: the loop's `match`.
    fn conclude(&mut self, w: usize, k: usize, outcome: Outcome) {
        let another = self.protocol.retry.allows_another(self.in_flight(w, k).made.into());
        let stage = match decide(outcome, another) {
            Disposition::Ack => Stage::Settling(Answer::Ack),
            Disposition::Release => Stage::Settling(self.given_back(w, k)),
            Disposition::DeadLetter(class, _) => Stage::Settling(Answer::DeadLetter(class)),
            Disposition::Retry(_) => Stage::Backoff,
            Disposition::Hold(_) => {
                let unspent = !self.protocol.is(Broken::OutageSpendsAnAttempt);
                let in_flight = self.in_flight(w, k);
                in_flight.made = in_flight.made.saturating_sub(unspent.into());
                self.close(w);
                Stage::AtGate
            }
        };
        self.in_flight(w, k).stage = stage;
        // Waits that begin after the withdrawal end at once.
        if matches!(stage, Stage::AtGate | Stage::Backoff) && self.session(w).withdrawn {
            self.conclude(w, k, Outcome::Interrupted);
        }
    }

    /// workers/src/gate/mod.rs, `Gate::close`: what is in flight waits for the opening.
    fn close(&mut self, w: usize) {
        let worker = &mut self.state.workers[w];
        // Once the hold is over, it is on its way back.
        let holding = worker.session.is_some_and(|session| session.taking);
        if std::mem::replace(&mut worker.gate_open, false) && holding {
            worker.pauses += 1;
            worker.consumers.iter_mut().flatten().for_each(|in_flight| in_flight.held += 1);
        }
    }

    /// common/rabbit/src/delivery/count.rs, `redeliveries`.
    fn returns(&mut self, w: usize, k: usize) -> u8 {
        let message = self.in_flight(w, k).message;
        if self.protocol.is(Broken::AnyCountIsBelieved) && message.returns == 0 {
            return message.claimed;
        }
        message.redeliveries(self.protocol.counting)
    }
}
