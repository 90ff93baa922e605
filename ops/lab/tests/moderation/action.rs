//! Everything that can happen, with the place of the product where it does.

use crate::rules::{Broken, Rules};
use crate::state::{APPEAL, BOB, HELD, Request, SECOND, State};

/// One step. `who` is a person's place, `s` a sender's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Somebody asks the database for something, with ids of their own.
    Ask { who: u8, request: Request },
    /// common/mysql/src/review/transaction.rs, `lock`: only done wrongly is it a step of its own.
    Read { who: u8 },
    /// common/mysql/src/review: `claim`, `rule`, `release`, `undo`. `lost`: it is committed, and whoever asked does
    /// not hear of it; they ask again.
    Process { who: u8, lost: bool },
    /// common/mysql/src/review/opinion.rs, `decisions_for`: somebody looks at the post.
    Look { who: u8 },
    /// The claim's time ends by the database's clock.
    ClaimLapses { case: u8 },
    /// common/mysql/src/review/appeal.rs, `appeal`.
    Appeal,
    /// common/mysql/src/review/withdraw.rs, `withdraw`.
    Withdraw,
    /// workers/src/case_opener.rs: a post that comes back finds its case.
    Redeliver,
    /// common/mysql/src/review/outbox.rs, `number_events`; of event 0, announce.rs beside it. In a world with a prompt sender, it is delivered at once.
    Number { event: u8 },
    /// common/mysql/src/review/delivery.rs, `due_deliveries`.
    Take { s: u8, event: u8 },
    /// A sender is paused for longer than its lease.
    LeaseLapses,
    /// The forum takes the event and says so: `delivered`.
    Post { s: u8 },
    /// The sender hears nothing: `delivery_failed`. The forum took the event, or it did not.
    Cut { s: u8, applied: bool },
}

impl Action {
    /// Whether it is something that goes wrong or that people do: nothing that can be relied on to happen.
    pub(crate) fn is_fault(self) -> bool {
        !matches!(
            self,
            Self::Read { .. }
                | Self::Process { lost: false, .. }
                | Self::Number { .. }
                | Self::Take { .. }
                | Self::Post { .. }
        )
    }

    /// All that can happen now.
    pub(crate) fn all(rules: &Rules, state: &State, into: &mut Vec<Self>) {
        if state.wrong.is_some() {
            return;
        }
        for (who, person) in (0..).zip(&state.people) {
            match person.asked {
                None => requests(state, who, into),
                Some(Request::Decide { .. }) if rules.is(Broken::NoLock) && person.read.is_none() => {
                    into.push(Self::Read { who });
                }
                Some(_) => {
                    into.push(Self::Process { who, lost: false });
                    if state.left.lost > 0 {
                        into.push(Self::Process { who, lost: true });
                    }
                }
            }
        }
        around(rules, state, into);
        sending(rules, state, into);
    }
}

/// What one person may ask for: whatever the page of yesterday still offers.
fn requests(state: &State, who: u8, into: &mut Vec<Action>) {
    let (left, id) = (state.left, state.made + 1);
    let mut ask = |request| into.push(Action::Ask { who, request });
    for case in [HELD, APPEAL, SECOND] {
        if state.cases[usize::from(case)].is_none() {
            continue;
        }
        let token = state.people[usize::from(who)].tokens[usize::from(case)];
        if left.claims > 0 {
            ask(Request::Claim { case, token: id });
        }
        if left.decisions > 0 {
            // One of them always approves, or each decision would double the world.
            ask(Request::Decide { case, token, approve: who == BOB, id });
        }
        if let (true, Some(token)) = (left.skips > 0, token) {
            ask(Request::Skip { case, token });
        }
        if left.escalations > 0 {
            ask(Request::Escalate { case, token });
        }
    }
    if left.undos > 0 {
        for decision in &state.decisions {
            ask(Request::Undo { revision: decision.revision, id });
        }
    }
}

/// The clock, the author, the forum and the workers.
fn around(rules: &Rules, state: &State, into: &mut Vec<Action>) {
    if state.left.looks > 0 {
        into.extend((0..).zip(&state.people).map(|(who, _)| Action::Look { who }));
    }
    for case in [HELD, APPEAL, SECOND] {
        let row = state.cases[usize::from(case)];
        if state.left.lapses > 0 && row.and_then(|row| row.claim).is_some_and(|claim| claim.live) {
            into.push(Action::ClaimLapses { case });
        }
    }
    if state.left.appeals > 0 && state.cases[usize::from(APPEAL)].is_none() {
        into.push(Action::Appeal);
    }
    if state.left.withdrawals > 0 {
        into.push(Action::Withdraw);
    }
    if state.left.redeliveries > 0 {
        into.push(Action::Redeliver);
    }
    for event in (0..state.events()).filter(|event| !state.feed.contains(event)) {
        // An earlier event of the same post that has no number comes first.
        let first = (0..event).all(|earlier| state.feed.contains(&earlier));
        if first || rules.is(Broken::NumbersInAnyOrder) {
            into.push(Action::Number { event });
        }
    }
}

fn sending(rules: &Rules, state: &State, into: &mut Vec<Action>) {
    for (s, sending) in (0..).zip(state.senders) {
        match sending {
            Some(_) => {
                into.push(Action::Post { s });
                if state.left.cuts > 0 {
                    into.extend([true, false].map(|applied| Action::Cut { s, applied }));
                }
            }
            None if state.lease.is_none_or(|(_, live)| !live) => {
                let due = if rules.is(Broken::SendsInAnyOrder) { usize::MAX } else { 1 };
                into.extend(state.undelivered().take(due).map(|event| Action::Take { s, event }));
            }
            None => {}
        }
    }
    if state.left.pauses > 0 && state.lease.is_some_and(|(_, live)| live) {
        into.push(Action::LeaseLapses);
    }
}
