//! What follows from an action.

mod requests;

use sluice_core::moderation::{CaseKind, CaseState};
use sluice_core::verdict::Verdict;

use crate::action::Action;
use crate::property::{REOPENED, TOLD};
use crate::rules::{Broken, Rules};
use crate::state::{APPEAL, CaseRow, HELD, Held, Request, SECOND, State, actor};

/// An answer of the database: it did it, or it refused.
type Answer = Result<(), ()>;

pub(crate) struct Step<'a> {
    rules: &'a Rules,
    state: State,
}

impl<'a> Step<'a> {
    pub(crate) fn after(rules: &'a Rules, state: &State, action: Action) -> State {
        let mut step = Self { rules, state: state.clone() };
        step.take(action);
        let undo = match action {
            Action::Process { who, .. } => {
                matches!(state.people[usize::from(who)].asked, Some(Request::Undo { .. }))
            }
            _ => false,
        };
        for (before, after) in state.cases.iter().zip(step.state.cases) {
            let decided = before.is_some_and(|case| case.state == CaseState::Decided);
            if decided && after.is_some_and(|case| case.state.is_open()) && !undo {
                step.wrong(REOPENED);
            }
        }
        step.state
    }

    fn take(&mut self, action: Action) {
        match action {
            Action::Ask { who, request } => self.ask(who, request),
            Action::Read { who } => {
                if let Some(Request::Decide { case, .. }) = self.state.people[usize::from(who)].asked {
                    let revision = self.state.revision();
                    self.state.people[usize::from(who)].read = Some((self.row(case), revision));
                }
            }
            Action::Process { who, lost } => self.process(who, lost),
            Action::Look { who } => self.look(who),
            Action::ClaimLapses { case } => {
                self.state.left.lapses -= 1;
                self.change(case, |row| row.claim = row.claim.map(|claim| Held { live: false, ..claim }));
            }
            Action::Appeal => self.appeal(),
            Action::Withdraw => {
                self.state.left.withdrawals -= 1;
                for row in self.state.cases.iter_mut().flatten() {
                    (row.state, row.claim) = (CaseState::Withdrawn, None);
                }
            }
            Action::Redeliver => {
                self.state.left.redeliveries -= 1;
                if self.rules.is(Broken::RedeliveryReopens) {
                    self.change(HELD, |row| row.state = CaseState::Waiting);
                }
            }
            Action::Number { event } => {
                self.state.feed.push(event);
                if self.rules.prompt {
                    self.state.hears(self.rules, event);
                    self.state.delivered(event);
                }
            }
            Action::Take { s, event } => {
                self.state.lease = Some((s, true));
                self.state.senders[usize::from(s)] = Some(event);
            }
            Action::LeaseLapses => {
                self.state.left.pauses -= 1;
                self.state.lease = self.state.lease.map(|(s, _)| (s, false));
            }
            Action::Post { s } => self.state.post(self.rules, s),
            Action::Cut { s, applied } => self.state.cut(self.rules, s, applied),
        }
    }

    fn ask(&mut self, who: u8, request: Request) {
        let left = &mut self.state.left;
        match request {
            Request::Claim { .. } => left.claims -= 1,
            Request::Decide { .. } => left.decisions -= 1,
            Request::Undo { .. } => left.undos -= 1,
            Request::Skip { .. } => left.skips -= 1,
            Request::Escalate { .. } => left.escalations -= 1,
        }
        if matches!(request, Request::Claim { .. } | Request::Decide { .. } | Request::Undo { .. }) {
            self.state.made += 1;
        }
        self.state.people[usize::from(who)].asked = Some(request);
    }

    /// The database does what was asked, in one transaction.
    fn process(&mut self, who: u8, lost: bool) {
        let place = usize::from(who);
        let Some(request) = self.state.people[place].asked else { return };
        let answer = match request {
            Request::Claim { case, token } => self.claim(who, case, token),
            Request::Decide { case, token, approve, id } => self.decide(who, (case, token), approve, id),
            Request::Undo { revision, id } => self.undo(who, revision, id),
            Request::Skip { case, token } => self.skip(who, case, token),
            Request::Escalate { case, token } => self.escalate(who, case, token),
        };
        self.state.people[place].read = None;
        if lost {
            self.state.left.lost -= 1;
            return;
        }
        self.state.people[place].asked = None;
        match (request, answer) {
            (Request::Decide { id, .. } | Request::Undo { id, .. }, Err(()))
                if self.is_decision(id) || self.is_opinion(id) =>
            {
                self.wrong(TOLD);
            }
            (Request::Claim { case, token }, Ok(())) => {
                self.state.people[place].tokens[usize::from(case)] = Some(token);
            }
            (Request::Undo { id, .. }, Ok(())) => {
                let found = self.state.decisions.iter().find(|decision| decision.id == id);
                if let Some(case) = found.map(|decision| decision.case) {
                    self.state.people[place].tokens[usize::from(case)] = Some(id);
                }
            }
            // A token that was given back is kept: yesterday's page still shows it.
            _ => {}
        }
    }

    /// common/mysql/src/review/appeal.rs, `allowed`.
    fn appeal(&mut self) {
        self.state.left.appeals -= 1;
        let gone = self.row(HELD).state == CaseState::Withdrawn;
        let Some(last) = self.state.last().copied() else { return };
        if gone || last.verdict != Verdict::Rejected || last.case == APPEAL || last.undoes.is_some() {
            return;
        }
        self.state.cases[usize::from(APPEAL)] = Some(CaseRow::about(CaseKind::Appeal, &last));
        if !self.rules.is(Broken::AppealKeepsTheSecond) {
            self.ends_about(SECOND, last.revision);
        }
    }

    /// common/mysql/src/review/about.rs, `end_those_about`.
    fn ends_about(&mut self, case: u8, revision: u8) {
        let of_this = |row: &CaseRow| row.of == Some(revision) && row.state.is_open();
        if self.state.cases[usize::from(case)].as_ref().is_some_and(of_this) {
            self.change(case, |row| (row.state, row.claim) = (CaseState::Withdrawn, None));
        }
    }

    /// common/mysql/src/review/opinion.rs, `decisions_for`.
    fn look(&mut self, who: u8) {
        self.state.left.looks -= 1;
        let revision = self.state.revision();
        let (name, hides) = (actor(who, None).name, self.rules.guards.hides);
        if !self.state.cases.iter().flatten().any(|row| hides(&row.as_it_stands(revision), Some(name))) {
            self.state.people[usize::from(who)].seen = revision;
        }
    }

    fn standing(&self) -> Verdict {
        (self.rules.guards.standing)(Verdict::Held, self.state.last().map(|last| last.verdict))
    }

    fn is_known(&self, id: u8) -> bool {
        let opinion = self.is_opinion(id) && !self.rules.is(Broken::ForgetsOpinions);
        !self.rules.is(Broken::ForgetsIds) && (opinion || self.is_decision(id))
    }

    fn is_decision(&self, id: u8) -> bool {
        self.state.decisions.iter().any(|decision| decision.id == id)
    }

    fn is_opinion(&self, id: u8) -> bool {
        self.state.cases.iter().flatten().any(|row| row.opinion == Some(id))
    }

    fn row(&self, case: u8) -> CaseRow {
        self.state.cases[usize::from(case)].expect("only cases that are there are asked about")
    }

    fn change(&mut self, case: u8, change: impl FnOnce(&mut CaseRow)) {
        if let Some(row) = &mut self.state.cases[usize::from(case)] {
            change(row);
        }
    }

    fn wrong(&mut self, property: &'static str) {
        self.state.wrong(property);
    }
}
