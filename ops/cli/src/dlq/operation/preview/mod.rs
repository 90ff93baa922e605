//! What would be done, shown before it is done: for a dry run, and for the prompt on a terminal.

mod listing;
mod question;

pub(in crate::dlq) use listing::{dry_run, plan};
pub(in crate::dlq) use question::{answer, ask};

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use sluice_core::disposition::Class;
use sluice_rabbit::dead_letters::{DeadLetter, DeadLetterSummary};
use sluice_runtime::exit::Exit;

use super::batch::Shown;
use super::forecast::{Candidate, Forecast, Judge};
use super::plan::Plan;
use crate::browse::{DeadLetters, Interrupted};
use crate::dlq::report::outcome::{Ending, exit};
use crate::dlq::select::Selection;
use crate::spool::Spool;

/// The most dead letters that the prompt names one by one.
const NAMED: usize = 10;
/// The most kinds that the prompt counts.
const KINDS: usize = 1000;
/// The most dead letters that a refusal names in the audit log.
const DENIED: usize = 1000;

/// The dead letters that a selection takes, read and put back. They may be many: a file has them all, memory only their
/// ids.
pub(crate) struct Preview {
    /// How many.
    pub(crate) count: usize,
    /// What identifies each of them, even among others of the same id.
    pub(crate) shown: Shown,
    /// The oldest, as a refusal names them in the audit log.
    pub(crate) oldest: Vec<DeadLetterSummary>,
    /// Ids asked for that no dead letter has.
    pub(crate) unknown: Vec<String>,
    /// The oldest few.
    first: Vec<DeadLetterSummary>,
    counts: BTreeMap<(Class, String), u32>,
    /// What would happen to them in a replay.
    pub(crate) plan: Option<Plan>,
    /// All of them, each with what would happen to it.
    all: Spool<(DeadLetterSummary, Option<String>)>,
    /// Why MySQL could not be queried, where it could not.
    pub(crate) unreachable: Option<String>,
}

impl Preview {
    fn empty() -> anyhow::Result<Self> {
        Ok(Self {
            count: 0,
            shown: Shown::default(),
            oldest: Vec::new(),
            unknown: Vec::new(),
            first: Vec::new(),
            counts: BTreeMap::new(),
            plan: None,
            all: Spool::new()?,
            unreachable: None,
        })
    }

    /// Reads the dead letters, puts them back, and then forecasts what would happen to each.
    pub(crate) async fn take(
        dead: &DeadLetters,
        mut selection: Selection,
        judge: Option<Judge>,
    ) -> anyhow::Result<Self> {
        let mut seen = Spool::<(DeadLetterSummary, Option<Candidate>)>::new()?;
        let mut shown = Shown::default();
        let read = |dead_letter: DeadLetter| {
            let taken = selection.takes(&dead_letter.summary, dead_letter.body());
            if taken {
                shown.add(&dead_letter);
            }
            let candidate = judge.as_ref().filter(|_| taken).map(|judge| judge.read(&dead_letter));
            let written = !taken || seen.add(&(dead_letter.summary, candidate));
            if !written || selection.is_complete() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        dead.look(read).await?;
        let mut preview = Self { shown, unknown: selection.unknown(), ..Self::empty()? };
        preview.judge(dead, seen, judge).await?;
        Ok(preview)
    }

    async fn judge(
        &mut self,
        dead: &DeadLetters,
        seen: Spool<(DeadLetterSummary, Option<Candidate>)>,
        judge: Option<Judge>,
    ) -> anyhow::Result<()> {
        let Some(mut judge) = judge else {
            for dead_letter in seen.read()? {
                self.add(dead_letter?.0, None);
            }
            return Ok(());
        };
        let mut waiting = Vec::new();
        let mut seen = seen.read()?.peekable();
        while let Some(dead_letter) = seen.next() {
            if dead.stop.is_cancelled() {
                return Err(Interrupted.into());
            }
            let (dead_letter, candidate) = dead_letter?;
            waiting.push(dead_letter);
            candidate.into_iter().for_each(|candidate| judge.add(candidate));
            if judge.is_full() || seen.peek().is_none() {
                let forecasts = judge.forecasts().await;
                waiting
                    .drain(..)
                    .zip(forecasts)
                    .for_each(|(dead_letter, forecast)| self.add(dead_letter, Some(&forecast)));
            }
        }
        self.unreachable = judge.unreachable;
        Ok(())
    }

    /// The exit code of a list of them.
    fn listed(&self) -> Exit {
        exit(&Ending::Complete, number(self.count), number(self.unknown.len()), 0)
    }

    /// The exit code of a plan, which includes the forecasts.
    fn planned(&self) -> Exit {
        match self.listed() {
            Exit::Done if self.unreachable.is_some() => Exit::Partial,
            exit => exit,
        }
    }

    fn add(&mut self, dead_letter: DeadLetterSummary, forecast: Option<&Forecast>) {
        self.count += 1;
        if self.oldest.len() < DENIED {
            self.oldest.push(DeadLetterSummary { title: None, author: None, ..dead_letter.clone() });
        }
        let kind = (dead_letter.class, dead_letter.code.clone());
        if self.counts.len() < KINDS || self.counts.contains_key(&kind) {
            *self.counts.entry(kind).or_insert(0) += 1;
        }
        if let Some(forecast) = forecast {
            self.plan.get_or_insert_default().add(&dead_letter, forecast);
        }
        let line = (dead_letter, forecast.map(ToString::to_string));
        self.all.add(&line);
        if self.first.len() < NAMED {
            self.first.push(line.0);
        }
    }
}

fn number(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
