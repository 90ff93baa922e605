//! What each action does to the state. What follows from an outcome is not written here: the product's own
//! `decide` and `allows_another` are asked.

use sluice_core::disposition::{Blame, Disposition, Outcome, blame, decide};
use sluice_core::failure::{Failure, Kind};

use crate::action::Action;
use crate::rules::{Broken, Counting, Nature, Protocol};
use crate::state::{Answer, DeadLetter, InFlight, Message, Replay, Session, Stage, State};

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

    /// workers/src/handler/settle.rs, `Handler::given_back`.
    fn given_back(&mut self, w: usize, k: usize) -> Answer {
        let returns = self.returns(w, k).saturating_add(1);
        let republished = returns >= self.protocol.max_deliveries && !self.protocol.is(Broken::EachReleaseCounts);
        if republished { Answer::Republish } else { Answer::Release }
    }

    fn settle(&mut self, w: usize, k: usize) {
        let in_flight = *self.in_flight(w, k);
        let recorded = self.state.rows[usize::from(in_flight.message.post)] > 0;
        match in_flight.stage {
            Stage::Settling(Answer::Release) => {
                if !in_flight.gone {
                    let counted = self.protocol.counting == Counting::EachReturn;
                    self.requeue(in_flight.message, counted);
                    self.session(w).released |= 1 << in_flight.message.post;
                }
            }
            Stage::Confirmed => self.acknowledge(w, k, true),
            _ => self.acknowledge(w, k, recorded),
        }
        self.state.workers[w].consumers[k] = None;
    }

    /// The message is gone from the broker. `founded`: its post is recorded, or a dead letter is confirmed.
    fn acknowledge(&mut self, w: usize, k: usize, founded: bool) {
        let in_flight = self.in_flight(w, k);
        let told = !in_flight.gone;
        in_flight.gone = true;
        self.state.unfounded_ack |= told && !founded;
    }

    fn publish(&mut self, w: usize, k: usize) {
        if self.protocol.is(Broken::AckBeforeConfirm) && !self.in_flight(w, k).gone {
            return self.acknowledge(w, k, false);
        }
        self.dead_letter(w, k);
        self.in_flight(w, k).stage = Stage::Confirmed;
    }

    fn dead_letter(&mut self, w: usize, k: usize) {
        let InFlight { message, stage, faults, .. } = *self.in_flight(w, k);
        match stage {
            Stage::Settling(Answer::DeadLetter(class)) => {
                self.state.dead.push(DeadLetter { post: message.post, class, faults, replay: Replay::None });
            }
            _ => self.state.ready.push(Message::new(message.post)),
        }
    }

    fn requeue(&mut self, message: Message, counted: bool) {
        let returns = message.returns.saturating_add(counted.into());
        self.state.ready.push(Message { returns, acquired: message.acquired.saturating_add(1), ..message });
    }

    fn process(&mut self, action: Action) {
        let mysql = self.state.mysql;
        match action {
            Action::Open { w } => {
                let session = Session { taking: true, withdrawn: false, stopping: false, released: 0 };
                let worker = &mut self.state.workers[w];
                (worker.session, worker.pauses) = (Some(session), 0);
            }
            Action::Probe { w } => {
                let restarted = self.protocol.is(Broken::FlapRestartsTheHold);
                let worker = &mut self.state.workers[w];
                worker.gate_open = true;
                worker.pauses = if restarted { 0 } else { worker.pauses };
            }
            Action::Steady { w } => {
                let worker = &mut self.state.workers[w];
                worker.pauses = 0;
                worker.consumers.iter_mut().flatten().for_each(|in_flight| in_flight.held = 0);
            }
            Action::HoldOver { w } if self.protocol.is(Broken::ReleaseBeforeCancel) => self.withdraw(w),
            Action::HoldOver { w } | Action::CancelLate { w } => self.session(w).taking = false,
            Action::Withdraw { w } => self.withdraw(w),
            Action::Close { w } => {
                let stopping = self.session(w).stopping;
                let worker = &mut self.state.workers[w];
                worker.session = None;
                worker.alive = !stopping;
            }
            Action::Start { w } => {
                let worker = &mut self.state.workers[w];
                (worker.alive, worker.gate_open, worker.pauses) = (true, mysql, 0);
            }
            Action::Stop { w } => {
                self.state.left.stops -= 1;
                let worker = &mut self.state.workers[w];
                match &mut worker.session {
                    Some(session) => (session.taking, session.stopping) = (false, true),
                    None => worker.alive = false,
                }
            }
            other => unreachable!("{other:?} is no step of a process"),
        }
    }

    /// `withdrawn.cancel()`: whatever waits is interrupted. An insert that is under way goes on without its waiter.
    fn withdraw(&mut self, w: usize) {
        self.session(w).withdrawn = true;
        for k in 0..self.protocol.consumers {
            let Some(in_flight) = self.state.workers[w].consumers[k] else { continue };
            match in_flight.stage {
                Stage::Inserting => self.state.adrift[usize::from(in_flight.message.post)] = true,
                Stage::AtGate | Stage::Backoff | Stage::Committed => {}
                Stage::Taken | Stage::Settling(_) | Stage::Confirmed => continue,
            }
            self.conclude(w, k, Outcome::Interrupted);
        }
    }

    /// The process is gone: the broker takes back what it had, MySQL may still do what it was told.
    fn die(&mut self, w: usize) {
        for in_flight in std::mem::replace(&mut self.state.workers[w].consumers, vec![None; self.protocol.consumers]) {
            let Some(in_flight) = in_flight else { continue };
            if in_flight.stage == Stage::Inserting && self.protocol.nature(in_flight.message.post) != Nature::Deadly {
                self.state.adrift[usize::from(in_flight.message.post)] = true;
            }
            if !in_flight.gone {
                self.requeue(in_flight.message, true);
            }
        }
        let worker = &mut self.state.workers[w];
        (worker.alive, worker.gate_open, worker.pauses, worker.session) = (false, true, 0, None);
    }

    fn break_off(&mut self, w: usize) {
        self.state.left.breaks -= 1;
        self.session(w).taking = false;
        for k in 0..self.protocol.consumers {
            if let Some(in_flight) = self.state.workers[w].consumers[k].filter(|in_flight| !in_flight.gone) {
                self.requeue(in_flight.message, true);
                self.in_flight(w, k).gone = true;
            }
        }
    }

    fn around(&mut self, action: Action) {
        let state = &mut self.state;
        match action {
            Action::AdriftCommits { p } => {
                state.adrift[p] = false;
                self.store(p);
            }
            Action::AdriftFades { p } => state.adrift[p] = false,
            Action::Away => {
                state.left.outages -= 1;
                state.mysql = false;
            }
            Action::Back => state.mysql = true,
            Action::Duplicate { p } => {
                state.left.duplicates -= 1;
                state.ready.push(Message::new(u8::try_from(p).expect("a few posts")));
            }
            Action::ReplayPublish { i } | Action::ReplayRemove { i } => self.replay(action, i),
            Action::MoveBack { i } => {
                state.left.moves -= 1;
                let dead_letter = state.dead.remove(i);
                state.ready.push(Message { claimed: LOOKS, ..Message::new(dead_letter.post) });
            }
            Action::OperatorDies => {
                state.left.lapses -= 1;
                state.dead.retain(|dead_letter| dead_letter.replay != Replay::OnlyInFlight);
                state.dead.iter_mut().for_each(|dead_letter| dead_letter.replay = Replay::None);
            }
            other => unreachable!("{other:?} is done elsewhere"),
        }
    }

    fn replay(&mut self, action: Action, i: usize) {
        let post = self.state.dead[i].post;
        let first = matches!(action, Action::ReplayPublish { .. });
        if first {
            self.state.left.replays -= 1;
        }
        // A replay is a new message: the broker's count begins anew.
        if first != self.protocol.is(Broken::ReplayAcksFirst) {
            self.state.ready.push(Message::new(post));
        }
        match (first, self.protocol.is(Broken::ReplayAcksFirst)) {
            (true, false) => self.state.dead[i].replay = Replay::Copied,
            (true, true) => self.state.dead[i].replay = Replay::OnlyInFlight,
            (false, _) => {
                self.state.dead.remove(i);
            }
        }
    }
}
