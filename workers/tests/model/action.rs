//! Everything that can happen, with the place of the product where it does.

use crate::rules::{Broken, Nature, Protocol};
use crate::state::{Answer, DeadLetter, InFlight, Replay, Stage, State, Worker};

/// One step. `w` is a worker's place in the state, `k` a consumer's, `i` that of a message or a dead letter, `p` a post's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// workers/src/consumer.rs, `Consumers::run`: the gate is open, so a session is opened.
    Open { w: usize },
    /// common/rabbit/src/delivery/session.rs, `Deliveries`: the broker gives message `i` to a consumer that has room.
    Deliver { w: usize, k: usize, i: usize },
    /// workers/src/handler/mod.rs, `Handler::admit`: what came back too often is dead-lettered untouched.
    Admit { w: usize, k: usize },
    /// workers/src/handler/attempt.rs, `Handler::attempt` up to the recorder: past the gate, counted, read and reviewed. A
    /// message that is no post fails here, and a deadly one kills the process.
    Begin { w: usize, k: usize },
    /// workers/src/writer.rs, `Written::Stored`: the insert is committed. A row that was there stays as it is.
    Commit { w: usize, k: usize },
    /// workers/src/writer.rs, `Written::Failed`: MySQL refuses this row, for the row's own reason, and takes a plain
    /// one.
    Refuse { w: usize, k: usize },
    /// The same with an error that looks like an outage or an operator's mistake.
    Poisoned { w: usize, k: usize },
    /// The same with a deadlock, which the suspect meets as well that is tried again alone.
    Deadlock { w: usize, k: usize },
    /// common/mysql/src/lib.rs, `Store::bounded`: no answer in time. The insert was committed, or not; and a plain row
    /// is taken then, so that the row is tried again at once (workers/src/suspects.rs), or not answered either.
    Unanswered { w: usize, k: usize, committed: bool, plain: bool },
    /// workers/src/writer.rs, `Blame::EveryPost`: MySQL is down, locked or set up wrongly, and takes no plain row
    /// either.
    Unreachable { w: usize, k: usize },
    /// workers/src/handler/attempt.rs, `Handler::attempt`, `Some(Ok(recorded))`: the answer has come.
    Answered { w: usize, k: usize },
    /// common/rabbit/src/delivery/mod.rs, `Delivery::ack` and `Delivery::release`. After a dead letter, the ack that
    /// follows it.
    Settle { w: usize, k: usize },
    /// common/rabbit/src/delivery/mod.rs, `Delivery::dead_letter` and `Delivery::republish`: the dead letter, or the
    /// new message, is published and confirmed.
    Publish { w: usize, k: usize },
    /// The same with the confirm lost (`PublishError::Unconfirmed`): the delivery stays in flight, or is released.
    PublishUnconfirmed { w: usize, k: usize },
    /// workers/src/handler/settle.rs, `Handler::settle`: the dead letter is not taken and nothing may be waited
    /// for any more.
    GiveUpDeadLetter { w: usize, k: usize },
    /// workers/src/gate/probe.rs, `Probe::run`: a plain row is taken, the gate opens.
    Probe { w: usize },
    /// workers/src/gate/mod.rs, `STEADY`: the gate has been open for long enough to end the pause.
    Steady { w: usize },
    /// workers/src/consumer.rs, `Consumers::serve`, `closed_for(hold)` and `session.cancel`: held too long.
    HoldOver { w: usize },
    /// workers/src/consumer.rs, `Consumers::serve`, `withdrawn.cancel`: all waiting ends.
    Withdraw { w: usize },
    /// Only done wrongly: the consumers are cancelled after the withdrawal.
    CancelLate { w: usize },
    /// workers/src/consumer.rs, `Consumers::serve`, `session.close`; at a stop also the end of the process.
    Close { w: usize },
    /// workers/src/supervisor.rs, `Watched::keep`: a process that ended is started again. With MySQL away it starts
    /// with a closed gate (workers/src/run.rs, `check_database`).
    Start { w: usize },
    /// SIGTERM: workers/src/consumer.rs, `stop.cancelled()`.
    Stop { w: usize },
    /// SIGKILL, at any step.
    Kill { w: usize },
    /// The connection ends: the broker takes back what was in flight, the process does not know yet.
    Break { w: usize },
    /// An insert that nobody waits for any more is committed after all.
    AdriftCommits { p: usize },
    /// Or it never is.
    AdriftFades { p: usize },
    /// MySQL goes away.
    Away,
    /// MySQL comes back.
    Back,
    /// producer: a sender tries again with the same id.
    Duplicate { p: usize },
    /// ops/cli/src/dlq/operation/replay.rs, `batch`, `publish_batch`: a copy is published and confirmed.
    ReplayPublish { i: usize },
    /// ops/cli/src/dlq/operation/replay.rs, `batch`, `dead_letter.remove`: the dead letter is acknowledged.
    ReplayRemove { i: usize },
    /// The broker's own means (a shovel, the management pages, `rabbitmqctl`) put dead letter `i` back to work as it
    /// is, with the count of its looks.
    MoveBack { i: usize },
    /// `sluice dlq replay` is killed: the broker keeps the dead letters that were not acknowledged.
    OperatorDies,
}

impl Action {
    /// Whether it is something that goes wrong, or that people do: nothing that can be relied on to happen.
    pub(crate) fn is_fault(self) -> bool {
        matches!(
            self,
            Self::Deadlock { .. }
                | Self::Unanswered { .. }
                | Self::PublishUnconfirmed { .. }
                | Self::Stop { .. }
                | Self::Kill { .. }
                | Self::Break { .. }
                | Self::Away
                | Self::Duplicate { .. }
                | Self::OperatorDies
        ) || matches!(self, Self::ReplayPublish { .. } | Self::MoveBack { .. })
    }

    /// All that can happen now.
    pub(crate) fn all(protocol: &Protocol, state: &State, into: &mut Vec<Self>) {
        for (w, worker) in state.workers.iter().enumerate() {
            if state.workers[..w].contains(worker) {
                // Workers are alike: what its double does stands for both.
                continue;
            }
            of_process(protocol, state, worker, w, into);
            for (k, in_flight) in worker.consumers.iter().enumerate() {
                match in_flight {
                    Some(in_flight) => of_a_delivery(protocol, state, worker, in_flight, (w, k), into),
                    // Free consumers are alike, and come first.
                    None if k == 0 && worker.session.is_some_and(|session| session.taking) => {
                        into.extend((0..state.ready.len()).map(|i| Self::Deliver { w, k, i }));
                    }
                    None => {}
                }
            }
        }
        around(protocol, state, into);
    }
}

/// What a worker process does, and what is done to it.
fn of_process(protocol: &Protocol, state: &State, worker: &Worker, w: usize, into: &mut Vec<Action>) {
    if !worker.alive {
        into.push(Action::Start { w });
        return;
    }
    let holding = worker.session.is_some_and(|session| session.taking && !session.withdrawn);
    if !worker.gate_open && state.mysql && !(holding && worker.pauses > protocol.hold) {
        into.push(Action::Probe { w });
    }
    if worker.gate_open && worker.pauses > 0 {
        into.push(Action::Steady { w });
    }
    if state.left.kills > 0 {
        into.push(Action::Kill { w });
    }
    if state.left.stops > 0 && worker.session.is_none_or(|session| !session.stopping) {
        into.push(Action::Stop { w });
    }
    let Some(session) = worker.session else {
        if worker.gate_open {
            into.push(Action::Open { w });
        }
        return;
    };
    if state.left.breaks > 0 {
        into.push(Action::Break { w });
    }
    match (session.taking, session.withdrawn) {
        (true, false) if !worker.gate_open => into.push(Action::HoldOver { w }),
        (true, false) => {}
        (false, false) => into.push(Action::Withdraw { w }),
        (true, true) if protocol.is(Broken::ReleaseBeforeCancel) => into.push(Action::CancelLate { w }),
        (_, true) if worker.consumers.iter().all(Option::is_none) => into.push(Action::Close { w }),
        (_, true) => {}
    }
}

/// What becomes of a delivery.
fn of_a_delivery(
    protocol: &Protocol,
    state: &State,
    worker: &Worker,
    in_flight: &InFlight,
    (w, k): (usize, usize),
    into: &mut Vec<Action>,
) {
    let withdrawn = worker.session.is_some_and(|session| session.withdrawn);
    match in_flight.stage {
        Stage::Taken => into.push(Action::Admit { w, k }),
        Stage::AtGate | Stage::Backoff if worker.gate_open && !withdrawn => into.push(Action::Begin { w, k }),
        Stage::AtGate | Stage::Backoff => {}
        Stage::Inserting if !state.mysql => into.push(Action::Unreachable { w, k }),
        Stage::Inserting if protocol.nature(in_flight.message.post) == Nature::Refused => {
            into.push(Action::Refuse { w, k })
        }
        Stage::Inserting if matches!(protocol.nature(in_flight.message.post), Nature::Poisonous(_)) => {
            into.push(Action::Poisoned { w, k });
        }
        Stage::Inserting => {
            into.push(Action::Commit { w, k });
            if state.left.deadlocks > 0 {
                into.push(Action::Deadlock { w, k });
            }
            if state.left.lost > 0 {
                for (committed, plain) in [(true, true), (true, false), (false, true), (false, false)] {
                    into.push(Action::Unanswered { w, k, committed, plain });
                }
            }
        }
        Stage::Committed => into.push(Action::Answered { w, k }),
        Stage::Settling(Answer::Ack | Answer::Release) | Stage::Confirmed => into.push(Action::Settle { w, k }),
        Stage::Settling(answer @ (Answer::DeadLetter(_) | Answer::Republish)) => {
            into.push(Action::Publish { w, k });
            if state.left.lost > 0 {
                into.push(Action::PublishUnconfirmed { w, k });
            }
            if withdrawn && answer != Answer::Republish {
                into.push(Action::GiveUpDeadLetter { w, k });
            }
        }
    }
}

/// MySQL, senders and operators.
fn around(protocol: &Protocol, state: &State, into: &mut Vec<Action>) {
    match state.mysql {
        true if state.left.outages > 0 => into.push(Action::Away),
        true => {}
        false => into.push(Action::Back),
    }
    for p in 0..protocol.posts.len() {
        if state.adrift[p] {
            into.push(Action::AdriftFades { p });
            if state.mysql && protocol.can_be_stored(u8::try_from(p).expect("a few posts")) {
                into.push(Action::AdriftCommits { p });
            }
        }
        if state.left.duplicates > 0 {
            into.push(Action::Duplicate { p });
        }
    }
    for (i, dead_letter) in state.dead.iter().enumerate() {
        match dead_letter.replay {
            Replay::None if state.left.replays > 0 => into.push(Action::ReplayPublish { i }),
            Replay::None => {}
            Replay::Copied | Replay::OnlyInFlight => into.push(Action::ReplayRemove { i }),
        }
    }
    if state.left.moves > 0 {
        let free = |(_, dead_letter): &(usize, &DeadLetter)| dead_letter.replay == Replay::None;
        into.extend(state.dead.iter().enumerate().filter(free).map(|(i, _)| Action::MoveBack { i }));
    }
    if state.left.lapses > 0 && state.dead.iter().any(|dead_letter| dead_letter.replay != Replay::None) {
        into.push(Action::OperatorDies);
    }
}
