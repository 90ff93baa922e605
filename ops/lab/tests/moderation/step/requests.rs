//! What the database does with a request, and what nobody may ask.

use sluice_core::moderation::act::{HANDED_OUT_MOST, Refusal};
use sluice_core::moderation::{Case, CaseKind, CaseState, Cause};
use sluice_core::verdict::Verdict;

use super::{Answer, Step};
use crate::property::{BACK, CLOSES, DECIDED, DRAWN, FENCED, GONE, LAST, LEAD, LONG, ONCE, OWN, OWN_CLAIM};
use crate::property::{QUIET, TAKEN, UNDONE, UNSEEN, YOURS};
use crate::rules::Broken;
use crate::state::{APPEAL, CaseRow, Decision, Held, LEA, SECOND, actor};

impl Step<'_> {
    /// common/mysql/src/review/claim.rs, `claim` and `take`.
    pub(super) fn claim(&mut self, who: u8, case: u8, token: u8) -> Answer {
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
    pub(super) fn decide(&mut self, who: u8, (case, token): (u8, Option<u8>), approve: bool, id: u8) -> Answer {
        if self.is_known(id) {
            return Ok(());
        }
        let read = self.state.people[usize::from(who)].read;
        let (row, revision) = read.unwrap_or_else(|| (self.row(case), self.state.revision()));
        match (self.rules.guards.decide)(&row.as_it_stands(revision), actor(who, token)) {
            Err(Refusal::NeedsOpinion) => return self.opine(who, (case, token), approve, id),
            refused => refused.map_err(|_| ())?,
        }
        if row.kind == CaseKind::Second && (row.opinion.is_none() || who != LEA) {
            self.wrong(QUIET);
        }
        if read.is_none() {
            self.touches(who, &row);
            self.shows_its_claim(who, &row, token);
            if row.not_by == Some(who) {
                self.wrong(OWN);
            }
        }
        let verdict = said(approve);
        let decision =
            Decision { id, case, revision: revision + 1, verdict, previous: self.standing(), by: who, undoes: None };
        self.write(decision);
        self.change(case, |row| (row.state, row.claim) = (CaseState::Decided, None));
        self.draw(&row.as_it_stands(revision), &decision);
        Ok(())
    }

    /// common/mysql/src/review/decide.rs, `draw`: the first decision that may be drawn is.
    fn draw(&mut self, case: &Case, decision: &Decision) {
        let cause = match case.kind {
            CaseKind::Held if decision.by == LEA => Cause::Lead,
            CaseKind::Held => Cause::Moderator,
            CaseKind::Appeal => Cause::Appeal,
            CaseKind::Second => Cause::Second,
        };
        if self.state.left.seconds == 0 || !(self.rules.guards.drawn)(case, cause) {
            return;
        }
        self.state.left.seconds -= 1;
        if cause != Cause::Moderator {
            self.wrong(DRAWN);
        }
        self.state.cases[usize::from(SECOND)] = Some(CaseRow::about(CaseKind::Second, decision));
    }

    /// common/mysql/src/review/opinion.rs, `give`.
    fn opine(&mut self, who: u8, (case, token): (u8, Option<u8>), approve: bool, id: u8) -> Answer {
        let row = self.row(case);
        let of = row.of.unwrap_or_default();
        let first = self.state.decisions.iter().find(|decision| decision.revision == of).map(|first| first.verdict);
        let (first, opinion) = (first.unwrap_or(Verdict::Held), said(approve));
        let stands = row.as_it_stands(self.state.revision());
        let state = (self.rules.guards.opine)(&stands, actor(who, token), first, opinion).map_err(|_| ())?;
        self.touches(who, &row);
        self.shows_its_claim(who, &row, token);
        let wrong = [
            (row.not_by == Some(who), OWN),
            (self.state.people[usize::from(who)].seen >= of, UNSEEN),
            (row.opinion.is_some(), ONCE),
            ((state == CaseState::Decided) != (first == opinion), CLOSES),
        ];
        wrong.into_iter().filter(|(wrong, _)| *wrong).for_each(|(_, property)| self.wrong(property));
        self.change(case, |row| (row.state, row.claim, row.opinion) = (state, None, Some(id)));
        Ok(())
    }

    fn write(&mut self, decision: Decision) {
        let of_the_case = self.state.decisions.iter().filter(|one| one.case == decision.case).count();
        let of_the_case = u8::try_from(of_the_case + 1).expect("a few decisions");
        let revision = if self.rules.is(Broken::RevisionsOfTheCase) { of_the_case } else { decision.revision };
        self.state.decisions.push(Decision { revision, ..decision });
    }

    /// common/mysql/src/review/undo.rs, `undo`.
    pub(super) fn undo(&mut self, who: u8, revision: u8, id: u8) -> Answer {
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
        let state = (self.rules.guards.reopened)(&stands);
        self.change(undone.case, |row| row.state = state);
        self.claim_for(who, undone.case, id);
        if !self.rules.is(Broken::UndoKeepsTheAppeal) {
            self.ends_about(APPEAL, revision);
        }
        if !self.rules.is(Broken::UndoKeepsTheSecond) {
            self.ends_about(SECOND, revision);
        }
        Ok(())
    }

    /// common/mysql/src/review/claim.rs, `release` with `Release::Skipped`.
    pub(super) fn skip(&mut self, who: u8, case: u8, token: u8) -> Answer {
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
    pub(super) fn escalate(&mut self, who: u8, case: u8, token: Option<u8>) -> Answer {
        let row = self.row(case);
        (self.rules.guards.escalate)(&row.as_it_stands(self.state.revision()), actor(who, token)).map_err(|_| ())?;
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
}

/// The verdict of whoever approves, or does not.
fn said(approve: bool) -> Verdict {
    if approve { Verdict::Approved } else { Verdict::Rejected }
}
