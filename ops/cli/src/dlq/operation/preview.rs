//! What would be done, shown before it is done: for a dry run, and for the question on a terminal.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::ops::ControlFlow;

use sluice_core::disposition::Class;
use sluice_rabbit::dead_letters::{DeadLetter, DeadLetterSummary};
use sluice_runtime::exit::Exit;

use super::batch::Shown;
use super::forecast::{Candidate, Forecast, Judge};
use super::plan::Plan;
use crate::browse::{DeadLetters, Interrupted};
use crate::columns;
use crate::dlq::browse::list::{in_columns, row, rows};
use crate::dlq::report::outcome::{Ending, NO_SUCH_DEAD_LETTER, exit, report_json};
use crate::dlq::report::wording::Wording;
use crate::dlq::select::Selection;
use crate::spool::Spool;
use crate::visible::{cut, line};
use sluice_runtime::output::{self, report};
use sluice_runtime::table::{lines, right, table};

/// The most dead letters that the question names one by one.
const NAMED: usize = 10;
/// The most kinds that it counts.
const KINDS: usize = 1000;

/// The most dead letters that a refusal names in the audit log.
const DENIED: usize = 1000;

/// The dead letters a selection takes, seen and put back. They may be many: a file has them all, and memory their ids.
pub(in crate::dlq) struct Preview {
    /// How many.
    pub(in crate::dlq) count: usize,
    /// What tells each of them from others, of the same id among them.
    pub(in crate::dlq) shown: Shown,
    /// The oldest, as a refusal names them in the audit log.
    pub(in crate::dlq) oldest: Vec<DeadLetterSummary>,
    /// Ids asked for that no dead letter has.
    pub(in crate::dlq) unknown: Vec<String>,
    /// The oldest few.
    first: Vec<DeadLetterSummary>,
    counts: BTreeMap<(Class, String), u32>,
    /// What would become of them, where they are to be replayed.
    plan: Option<Plan>,
    /// All of them, each with what would become of it.
    all: Spool<(DeadLetterSummary, Option<String>)>,
    /// Whether the table could not be asked.
    is_partial: bool,
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
            is_partial: false,
        })
    }

    /// Looks, and asks what would become of each dead letter. It is asked when all are back.
    ///
    /// # Errors
    /// When the dead letters cannot be looked at.
    pub(in crate::dlq) async fn take(
        dead: &DeadLetters,
        mut selection: Selection,
        judge: Option<Judge>,
    ) -> anyhow::Result<Self> {
        let mut seen = Spool::<(DeadLetterSummary, Option<Candidate>)>::new()?;
        let mut shown = Shown::default();
        let look = |dead_letter: DeadLetter| {
            let taken = selection.takes(&dead_letter.summary, dead_letter.body());
            if taken {
                shown.add(&dead_letter);
            }
            let candidate = judge.as_ref().filter(|_| taken).map(|judge| judge.read(&dead_letter));
            let written = !taken || seen.add(&(dead_letter.summary, candidate));
            if !written || selection.is_complete() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        dead.look(look).await?;
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
        if let Some(unreachable) = judge.unreachable {
            self.is_partial = true;
            report!("the table cannot be checked: {unreachable}");
        }
        Ok(())
    }

    /// The exit code of a list of them.
    fn listed(&self) -> Exit {
        exit(&Ending::Complete, number(self.count), number(self.unknown.len()), 0)
    }

    /// The exit code of a plan, which says what the table would say.
    fn planned(&self) -> Exit {
        match self.listed() {
            Exit::Done if self.is_partial => Exit::Partial,
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

/// Tells what would be done.
///
/// # Errors
/// When stdout cannot be written.
pub(in crate::dlq) fn dry_run(preview: Preview, wording: Wording, json: bool) -> anyhow::Result<Exit> {
    let Wording { past, would, .. } = wording;
    let exit = preview.listed();
    let Preview { count, unknown, plan, all, .. } = preview;
    let mut rows = rows()?;
    for dead_letter in all.read()? {
        let (dead_letter, forecast) = dead_letter?;
        if json {
            let forecast = forecast.map(|forecast| format!("; {forecast}")).unwrap_or_default();
            report_json(&dead_letter.id, would, &format!("{}, {}{forecast}", dead_letter.class, dead_letter.code));
        } else {
            rows.add(row(&dead_letter));
        }
    }
    rows.print()?;
    if json {
        unknown.iter().for_each(|id| report_json(id, "unknown", NO_SUCH_DEAD_LETTER));
    } else {
        unknown.iter().for_each(|id| report!("{}: {NO_SUCH_DEAD_LETTER}", line(id)));
    }
    if let Some(plan) = plan.filter(|_| !json) {
        output::say(&plan.text());
    }
    report!("{count} would be {past}; nothing was done");
    Ok(exit)
}

/// Tells the plan of a replay.
///
/// # Errors
/// When stdout cannot be written.
pub(in crate::dlq) fn plan(preview: &Preview, json: bool) -> anyhow::Result<Exit> {
    let empty = Plan::default();
    let plan = preview.plan.as_ref().unwrap_or(&empty);
    if json {
        output::print(|out| plan.json(out))?;
    } else if preview.count > 0 {
        output::print(|out| write!(out, "{}", plan.text()))?;
    }
    preview.unknown.iter().for_each(|id| report!("{}: {NO_SUCH_DEAD_LETTER}", line(id)));
    if preview.count == 0 {
        report!("no dead letter matches the filters");
    }
    report!("this is a plan; nothing was done");
    Ok(preview.planned())
}

fn number(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Whether there is somebody to ask.
pub(in crate::dlq) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Shows what would be done and asks. No dead letter is in flight meanwhile.
///
/// # Errors
/// When the terminal is gone, or Ctrl-C was the answer.
pub(in crate::dlq) async fn ask(preview: &Preview, wording: Wording, dead: &DeadLetters) -> anyhow::Result<bool> {
    output::say(&question(preview, wording));
    answer(dead).await.map(|answer| is_yes(&answer))
}

/// What is answered to a question that was printed, until the end of the line.
///
/// # Errors
/// As [`ask`].
pub(in crate::dlq) async fn answer(dead: &DeadLetters) -> anyhow::Result<String> {
    std::io::stderr().flush()?;
    let read = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map(|_| answer)
    });
    tokio::select! {
        answer = read => Ok(answer??),
        () = dead.stop.cancelled() => {
            report!("");
            Err(Interrupted.into())
        }
    }
}

fn question(preview: &Preview, wording: Wording) -> String {
    let Preview { count, first, unknown, .. } = preview;
    let room = columns::room(&std::io::stderr());
    let mut text = format!("{}\n{}", kinds(preview), in_columns(first, room));
    if *count > first.len() {
        text.push_str(&format!("… and {} more (--dry-run lists them all)\n", count - first.len()));
    }
    for id in unknown {
        text.push_str(&format!("{}: {NO_SUCH_DEAD_LETTER}\n", line(id)));
    }
    let many = if *count == 1 { "this dead letter" } else { "these dead letters" };
    let (operation, aim) = wording.asks;
    text.push_str(&format!("\n{operation} {many} ({count}) {aim}? [y/N] "));
    text
}

/// What there is to decide about: for a replay the whole plan.
fn kinds(preview: &Preview) -> String {
    if let Some(plan) = &preview.plan {
        return plan.text();
    }
    let mut counts = table(&["COUNT", "CLASS", "CODE"]);
    right(&mut counts, &[0]);
    for ((class, code), count) in &preview.counts {
        counts.add_row([count.to_string(), class.to_string(), cut(code, 60)]);
    }
    lines(counts)
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dlq::report::wording::REPLAY;

    fn dead_letter(number: u32, class: Class, code: &str) -> DeadLetterSummary {
        DeadLetterSummary {
            id: format!("id-{number}"),
            class,
            code: code.to_owned(),
            message: String::new(),
            fingerprint: String::new(),
            attempts: 0,
            first_failed_at: None,
            last_failed_at: None,
            worker: String::new(),
            replays: 0,
            title: None,
            author: None,
            post: None,
            submitted_at: None,
        }
    }

    #[test]
    fn the_question_says_how_many_and_which() {
        let mut preview = Preview { unknown: vec!["nobody".to_owned()], ..Preview::empty().expect("a file") };
        for n in 0..12 {
            preview.add(dead_letter(n, if n < 5 { Class::Expired } else { Class::Permanent }, "c"), None);
        }
        let text = question(&preview, REPLAY);
        assert!(text.contains("5  expired    c") && text.contains("7  permanent  c"), "{text}");
        assert!(text.contains("id-9") && !text.contains("id-10") && text.contains("… and 2 more"), "{text}");
        assert!(text.contains("nobody: no dead letter has this id"), "{text}");
        assert!(text.ends_with("Replay these dead letters (12) to the work queue? [y/N] "), "{text}");
    }

    #[test]
    fn only_a_clear_yes_is_a_confirmation() {
        assert!(["y\n", "Y", " yes\r\n", "YES"].into_iter().all(is_yes));
        assert!(!["", "\n", "n", "yep", "yy", "j"].into_iter().any(is_yes));
    }
}
