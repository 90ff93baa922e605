//! What follows from an action.

use sluice_core::moderation::CaseState;
use sluice_core::moderation::act::HANDED_OUT_MOST;
use sluice_core::verdict::Verdict;

use crate::action::Action;
use crate::property::{BACK, DECIDED, FENCED, GONE, LAST, LEAD, LONG, OWN, OWN_CLAIM, REOPENED, TAKEN, TOLD};
use crate::property::{UNDONE, YOURS};
use crate::rules::{Broken, Rules};
use crate::state::{APPEAL, CaseRow, Decision, HELD, Held, LEA, Request, State, actor};

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
                if self.state.decisions.iter().any(|decision| decision.id == id) =>
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

    /// common/mysql/src/review/claim.rs, `claim` and `take`.
    fn claim(&mut self, who: u8, case: u8, token: u8) -> Answer {
        let row = self.row(case);
        (self.rules.guards.claim)(&row.as_it_stands(self.state.revision()), actor(who, Some(token))).map_err(|_| ())?;
        if row.claim.is_some_and(|claim| claim.token == token) {
            return Ok(());
        }
        self.touches(who, &row);
        if row.not_by == Some(who) {
            self.wrong(OWN_CLAIM);
        }
        if row.claim.is_some_and(|claim| claim.live) {
            self.wrong(TAKEN);
        }
        self.claim_for(who, case, token);
        Ok(())
    }

    fn claim_for(&mut self, who: u8, case: u8, token: u8) {
        self.change(case, |row| {
            row.claim = Some(Held { token, by: who, live: true });
            row.handed_out += 1;
        });
    }

    /// common/mysql/src/review/decide.rs, `decide`.
    fn decide(&mut self, who: u8, (case, token): (u8, Option<u8>), approve: bool, id: u8) -> Answer {
        if self.is_known(id) {
            return Ok(());
        }
        let read = self.state.people[usize::from(who)].read;
        let (row, revision) = read.unwrap_or_else(|| (self.row(case), self.state.revision()));
        (self.rules.guards.decide)(&row.as_it_stands(revision), actor(who, token)).map_err(|_| ())?;
        if read.is_none() {
            self.touches(who, &row);
            self.shows_its_claim(who, &row, token);
            if row.not_by == Some(who) {
                self.wrong(OWN);
            }
        }
        let verdict = if approve { Verdict::Approved } else { Verdict::Rejected };
        let decision =
            Decision { id, case, revision: revision + 1, verdict, previous: self.standing(), by: who, undoes: None };
        self.write(decision);
        self.change(case, |row| (row.state, row.claim) = (CaseState::Decided, None));
        Ok(())
    }

    fn write(&mut self, decision: Decision) {
        let of_the_case = self.state.decisions.iter().filter(|one| one.case == decision.case).count();
        let of_the_case = u8::try_from(of_the_case + 1).expect("a few decisions");
        let revision = if self.rules.is(Broken::RevisionsOfTheCase) { of_the_case } else { decision.revision };
        self.state.decisions.push(Decision { revision, ..decision });
    }

    /// common/mysql/src/review/undo.rs, `undo`.
    fn undo(&mut self, who: u8, revision: u8, id: u8) -> Answer {
        if self.is_known(id) {
            return Ok(());
        }
        let found = self.state.decisions.iter().find(|decision| decision.revision == revision).copied();
        let (Some(undone), Some(last)) = (found, self.state.last().copied()) else { return Err(()) };
        let row = self.row(undone.case);
        let (by, undoes) = (actor(undone.by, None).name, undone.undoes.is_some());
        let stands = row.as_it_stands(self.state.revision());
        (self.rules.guards.undo)(&stands, actor(who, None), revision.into(), by, undoes).map_err(|_| ())?;
        let wrong = [
            (row.state == CaseState::Withdrawn, GONE),
            (last.revision != revision, LAST),
            (undoes, UNDONE),
            (who != LEA && who != undone.by, YOURS),
        ];
        wrong.into_iter().filter(|(wrong, _)| *wrong).for_each(|(_, property)| self.wrong(property));
        let before = self.state.decisions.iter().filter(|one| one.revision < revision);
        let before = before.max_by_key(|one| one.revision).map_or(Verdict::Held, |one| one.verdict);
        if last.previous != before {
            self.wrong(BACK);
        }
        self.write(Decision {
            id,
            case: undone.case,
            revision: last.revision + 1,
            verdict: last.previous,
            previous: self.standing(),
            by: who,
            undoes: Some(revision),
        });
        self.change(undone.case, |row| row.state = CaseState::Waiting);
        self.claim_for(who, undone.case, id);
        let of_this = |row: &CaseRow| row.of == Some(revision) && row.state.is_open();
        if self.state.cases[usize::from(APPEAL)].as_ref().is_some_and(of_this)
            && !self.rules.is(Broken::UndoKeepsTheAppeal)
        {
            self.change(APPEAL, |row| row.state = CaseState::Withdrawn);
        }
        Ok(())
    }

    /// common/mysql/src/review/claim.rs, `release` with `Release::Skipped`.
    fn skip(&mut self, who: u8, case: u8, token: u8) -> Answer {
        let row = self.row(case);
        let stands = row.as_it_stands(self.state.revision());
        (self.rules.guards.hold)(&stands, actor(who, Some(token))).map_err(|_| ())?;
        self.touches(who, &row);
        self.shows_its_claim(who, &row, Some(token));
        let state = (self.rules.guards.skipped)(&stands);
        if row.handed_out >= HANDED_OUT_MOST && state == CaseState::Waiting {
            self.wrong(LONG);
        }
        self.change(case, |row| (row.state, row.claim) = (state, None));
        Ok(())
    }

    /// The same with `Release::Escalated`, for which one need not have a claim.
    fn escalate(&mut self, who: u8, case: u8, token: Option<u8>) -> Answer {
        let row = self.row(case);
        (self.rules.guards.decide)(&row.as_it_stands(self.state.revision()), actor(who, token)).map_err(|_| ())?;
        self.touches(who, &row);
        self.shows_its_claim(who, &row, token);
        self.change(case, |row| (row.state, row.claim) = (CaseState::Escalated, None));
        Ok(())
    }

    /// What nobody may do to a case in this state.
    fn touches(&mut self, who: u8, row: &CaseRow) {
        match row.state {
            CaseState::Decided => self.wrong(DECIDED),
            CaseState::Withdrawn => self.wrong(GONE),
            CaseState::Escalated if who != LEA => self.wrong(LEAD),
            CaseState::Escalated | CaseState::Waiting => {}
        }
    }

    /// Whoever shows a token shows that of the last claim; whoever shows none is in nobody's way.
    fn shows_its_claim(&mut self, who: u8, row: &CaseRow, token: Option<u8>) {
        let fenced = match (row.claim, token) {
            (Some(claim), Some(token)) => claim.token != token,
            (Some(claim), None) => claim.live && claim.by != who,
            (None, Some(_)) => true,
            (None, None) => false,
        };
        if fenced {
            self.wrong(FENCED);
        }
    }

    /// common/mysql/src/review/appeal.rs, `allowed`.
    fn appeal(&mut self) {
        self.state.left.appeals -= 1;
        let gone = self.row(HELD).state == CaseState::Withdrawn;
        let Some(last) = self.state.last().copied() else { return };
        if gone || last.verdict != Verdict::Rejected || last.case != HELD || last.undoes.is_some() {
            return;
        }
        let (state, not_by, of) = (CaseState::Waiting, Some(last.by), Some(last.revision));
        self.state.cases[usize::from(APPEAL)] = Some(CaseRow { state, claim: None, handed_out: 0, not_by, of });
    }

    fn standing(&self) -> Verdict {
        (self.rules.guards.standing)(Verdict::Held, self.state.last().map(|last| last.verdict))
    }

    fn is_known(&self, id: u8) -> bool {
        !self.rules.is(Broken::ForgetsIds) && self.state.decisions.iter().any(|decision| decision.id == id)
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
