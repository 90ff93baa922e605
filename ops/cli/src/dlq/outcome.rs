//! What became of each letter, told as it becomes known, and the exit code that follows from it.

use std::fmt::Write;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use indicatif::style::ProgressTracker;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde::Serialize;
use sluice_mysql::{ActKind, LetterOutcome};
use sluice_runtime::exit::Exit;

use super::wording::Wording;
use crate::visible::line;
use sluice_runtime::output::{self, tell};

/// What became of a batch.
pub(super) struct Batch {
    /// Each letter's fate, in their order.
    pub(super) outcomes: Vec<LetterOutcome>,
    /// Why the act cannot go on.
    pub(super) stop: Option<String>,
}

impl Batch {
    /// A batch of which nothing was done.
    pub(super) fn not_begun(reason: String) -> Self {
        Self { outcomes: Vec::new(), stop: Some(reason) }
    }
}

/// How an act ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// All letters were seen.
    Complete,
    /// By Ctrl-C or SIGTERM.
    Interrupted,
    /// Something stands in the way.
    Stopped(String),
}

/// One line of `--json`.
#[derive(Serialize)]
struct Told<'a> {
    id: &'a str,
    outcome: &'a str,
    detail: &'a str,
}

/// Tells one outcome of `--json`. A reader that has gone away must not stop an act half-way.
pub(super) fn tell_json(id: &str, outcome: &str, detail: &str) {
    let _ = output::print(|out| output::json_line(out, &Told { id, outcome, detail }));
}

/// Counts and tells.
pub(super) struct Report {
    wording: Wording,
    json: bool,
    bar: ProgressBar,
    done: u32,
    /// Those that the act is not for: replayed too often.
    left: u32,
    failed: u32,
    /// Those of which it is not known whether it was done.
    not_known: u32,
    unknown: u32,
    passed_over: u32,
    /// How many letters were acted on, for the time that is left.
    acted: Arc<AtomicU64>,
}

impl Report {
    /// A report on an act that will see `letters` letters, and acts on at most `rate` of them a second. On a terminal it
    /// shows a progress bar.
    pub(super) fn new(wording: Wording, json: bool, letters: u32, rate: Option<u32>) -> Self {
        let acted = Arc::new(AtomicU64::new(0));
        let template = "{bar:30} {pos}/{len} looked at, {msg} [{elapsed}, about {time_left} left]";
        let bar = bar_with(letters.into(), template, time_left(Arc::clone(&acted), rate));
        let report =
            Self { wording, json, bar, done: 0, left: 0, failed: 0, not_known: 0, unknown: 0, passed_over: 0, acted };
        report.show_count();
        report
    }

    /// The letters are looked at again from the first on; there are so many of them now.
    pub(super) fn again(&self, letters: u32) {
        self.bar.reset();
        self.bar.set_length(letters.into());
    }

    /// One more letter was looked at.
    pub(super) fn passed(&self) {
        self.bar.inc(1);
    }

    /// Tells what became of a batch: as JSON all of it, for people what was not done.
    pub(super) fn tell(&mut self, outcomes: &[LetterOutcome]) {
        for LetterOutcome { letter, outcome, detail, .. } in outcomes {
            let count = match *outcome {
                "failed" => &mut self.failed,
                "left" => &mut self.left,
                NOT_KNOWN => &mut self.not_known,
                _ => &mut self.done,
            };
            *count += 1;
            self.acted.fetch_add(1, Relaxed);
            if self.json {
                self.bar.suspend(|| tell_json(letter, outcome, detail));
                continue;
            }
            match *outcome {
                "failed" => self.note(&format!("{}: not {}: {}", line(letter), self.past(), line(detail))),
                NOT_KNOWN => {
                    self.note(&format!("{}: not known whether {}: {}", line(letter), self.past(), line(detail)))
                }
                "left" => self.note(&format!("{}: left where it is: {}", line(letter), line(detail))),
                _ => {}
            }
        }
        self.show_count();
    }

    /// Tells the fate of a letter that needed no act.
    pub(super) fn tell_one(&mut self, id: &str, outcome: &str, detail: &str) {
        match outcome {
            "failed" => self.failed += 1,
            _ => self.passed_over += 1,
        }
        if self.json {
            self.bar.suspend(|| tell_json(id, outcome, detail));
        } else {
            self.note(&format!("{}: {}", line(id), line(detail)));
        }
    }

    /// Names ids that no letter had.
    pub(super) fn unknown(&mut self, ids: &[String]) {
        for id in ids {
            self.unknown += 1;
            if self.json {
                self.bar.suspend(|| tell_json(id, "unknown", NO_SUCH_LETTER));
            } else {
                self.note(&format!("{}: {NO_SUCH_LETTER}", line(id)));
            }
        }
    }

    /// A line for people, on stderr.
    pub(super) fn note(&self, text: &str) {
        self.bar.suspend(|| tell!("{text}"));
    }

    /// The last words, and the exit code.
    pub(super) fn finish(self, ending: &Ending, act: Option<&str>) -> Exit {
        self.bar.finish_and_clear();
        let words = self.summary(ending, act);
        if self.json {
            tell!("{words}");
        } else {
            // As above: a reader that has gone away changes nothing.
            let _ = output::print(|out| writeln!(out, "{words}"));
        }
        exit(ending, self.done, self.left + self.unknown, self.failed + self.not_known)
    }

    fn summary(&self, ending: &Ending, act: Option<&str>) -> String {
        let Self { done, left, failed, not_known, unknown, passed_over, .. } = self;
        let mut words = match (ending, done + left + failed + not_known + unknown + passed_over) {
            (Ending::Complete, 0) => "no dead letter passes the filters; nothing was done".to_owned(),
            _ => format!("{done} {}", self.past()),
        };
        for (count, what) in [
            (left, "left where they are"),
            (failed, "failed"),
            (not_known, "not known"),
            (unknown, "not found"),
            (passed_over, "passed over"),
        ] {
            if *count > 0 {
                words.push_str(&format!(", {count} {what}"));
            }
        }
        if let Some(act) = act {
            words.push_str(&format!(" (recorded as act {act})"));
        }
        match ending {
            Ending::Complete => {}
            Ending::Interrupted => {
                words.push_str(&format!("; interrupted: {}, the same command goes on", self.others()));
            }
            Ending::Stopped(reason) => {
                words.push_str(&format!("; stopped, {}: {}", self.others(), line(reason)));
            }
        }
        words
    }

    /// Where those are that nothing was done with.
    fn others(&self) -> &'static str {
        match self.wording.kind {
            ActKind::Import => "no further line was imported",
            _ => "the others are where they were",
        }
    }

    fn show_count(&self) {
        self.bar.set_message(format!("{} {}", self.done, self.past()));
    }

    fn past(&self) -> &'static str {
        self.wording.past
    }
}

/// What `{time_left}` shows: what the speed so far says, or what the rate allows, whichever is later. Of the letters that
/// are still to be looked at as many are to be acted on as among those before.
fn time_left(
    acted: Arc<AtomicU64>,
    rate: Option<u32>,
) -> impl Fn(&ProgressState, &mut dyn Write) + Clone + Send + Sync {
    move |state, out| {
        let (seen, all) = (state.pos(), state.len().unwrap_or(0));
        let by_rate = rate.map(|rate| by_rate(seen, all, acted.load(Relaxed), rate)).unwrap_or_default();
        // A bar that cannot be drawn is no reason to stop.
        let _ = write!(out, "{:#}", HumanDuration(state.eta().max(by_rate)));
    }
}

/// How long the letters after the first `seen` of `all` take at this rate, where `acted` of those were acted on.
fn by_rate(seen: u64, all: u64, acted: u64, rate: u32) -> Duration {
    let share = if seen == 0 || acted == 0 { 1.0 } else { (acted as f64 / seen as f64).min(1.0) };
    let waiting = all.saturating_sub(seen) as f64 * share;
    Duration::from_secs_f64((waiting / f64::from(rate.max(1))).ceil())
}

/// A progress bar on a terminal, and nothing elsewhere.
pub(super) fn bar(length: u64, template: &str) -> ProgressBar {
    bar_with(length, template, time_left(Arc::default(), None))
}

fn bar_with(length: u64, template: &str, time_left: impl ProgressTracker + 'static) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    if std::io::stderr().is_terminal() {
        // Templates are constants: were one wrong, the default would do.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.with_key("time_left", time_left));
        }
    }
    bar
}

/// The outcome of a letter of which the broker did not say whether it has it.
pub(super) const NOT_KNOWN: &str = "unknown";

/// Said of an id that was asked for.
pub(super) const NO_SUCH_LETTER: &str = "no dead letter has this id";

/// The exit code: 1 where nothing could be done, 130 where somebody interrupted, 3 where some was not done that has a
/// line of its own. `missed` are those
/// with which nothing went wrong but that there was nothing to do: no letter has the id, or it is left where it is.
pub(super) fn exit(ending: &Ending, done: u32, missed: u32, failed: u32) -> Exit {
    match (ending, done, failed) {
        (Ending::Complete, _, 0) if missed == 0 => Exit::Done,
        (Ending::Complete, _, 0) => Exit::Partial,
        (Ending::Interrupted, _, _) => Exit::Interrupted,
        (_, 0, _) => Exit::Failed,
        (Ending::Complete | Ending::Stopped(_), _, _) => Exit::Partial,
    }
}

#[cfg(test)]
mod tests {
    use super::super::wording::REPLAY;
    use super::*;

    fn report(done: u32, failed: u32, unknown: u32) -> Report {
        Report {
            wording: REPLAY,
            json: false,
            bar: ProgressBar::hidden(),
            done,
            left: 0,
            failed,
            not_known: 0,
            unknown,
            passed_over: 0,
            acted: Arc::default(),
        }
    }

    #[test]
    fn the_exit_code_tells_all_some_and_none_apart() {
        let stopped = Ending::Stopped("x".to_owned());
        assert_eq!(exit(&Ending::Complete, 3, 0, 0), Exit::Done);
        assert_eq!(exit(&Ending::Complete, 0, 0, 0), Exit::Done, "a filter that matches nothing is no failure");
        assert_eq!(exit(&Ending::Complete, 3, 0, 1), Exit::Partial);
        assert_eq!(exit(&Ending::Complete, 3, 1, 0), Exit::Partial);
        assert_eq!(exit(&Ending::Complete, 0, 1, 0), Exit::Partial, "an id that no letter has");
        assert_eq!(exit(&Ending::Complete, 0, 1, 1), Exit::Failed);
        assert_eq!(exit(&stopped, 3, 0, 0), Exit::Partial);
        assert_eq!(exit(&stopped, 0, 0, 3), Exit::Failed);
        assert_eq!(exit(&Ending::Interrupted, 3, 0, 0), Exit::Interrupted);
    }

    #[test]
    fn the_time_left_is_no_shorter_than_the_rate_allows() {
        assert_eq!(by_rate(0, 6, 0, 1), Duration::from_secs(6));
        assert_eq!(by_rate(2, 6, 1, 1), Duration::from_secs(2), "every second one is for this act");
        assert_eq!(by_rate(3, 6, 3, 2), Duration::from_secs(2));
        assert_eq!(by_rate(6, 6, 6, 1), Duration::ZERO);
    }

    #[test]
    fn the_last_words_say_what_was_done_and_how_to_go_on() {
        assert!(report(0, 0, 0).summary(&Ending::Complete, None).contains("nothing was done"));
        assert_eq!(
            report(5, 1, 2).summary(&Ending::Complete, Some("77")),
            "5 replayed, 1 failed, 2 not found (recorded as act 77)"
        );
        assert!(report(5, 0, 0).summary(&Ending::Interrupted, None).contains("the same command goes on"));
        assert!(report(5, 1, 0).summary(&Ending::Stopped("it is full".to_owned()), None).ends_with("it is full"));
    }
}
