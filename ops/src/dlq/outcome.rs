//! What became of each letter, told as it becomes known, and the exit code that follows from it.

use std::io::IsTerminal as _;

use common::exit::Exit;
use common::store::{ActKind, LetterOutcome};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::output;
use crate::visible::line;

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
    kind: ActKind,
    json: bool,
    bar: ProgressBar,
    done: u32,
    failed: u32,
    unknown: u32,
}

impl Report {
    /// A report on an act that will see `letters` letters. On a terminal it shows a progress bar.
    pub(super) fn new(kind: ActKind, json: bool, letters: u32) -> Self {
        let bar = ProgressBar::with_draw_target(Some(letters.into()), ProgressDrawTarget::stderr());
        if std::io::stderr().is_terminal() {
            // The template is a constant: were it wrong, the default would do.
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} looked at, {msg} [{elapsed}]") {
                bar.set_style(style);
            }
        }
        let report = Self { kind, json, bar, done: 0, failed: 0, unknown: 0 };
        report.show_count();
        report
    }

    /// One more letter was looked at.
    pub(super) fn passed(&self) {
        self.bar.inc(1);
    }

    /// Tells what became of a batch: as JSON all of it, for people what was not done.
    pub(super) fn tell(&mut self, outcomes: &[LetterOutcome]) {
        for LetterOutcome { letter, outcome, detail, .. } in outcomes {
            let failed = *outcome == "failed";
            *(if failed { &mut self.failed } else { &mut self.done }) += 1;
            if self.json {
                self.bar.suspend(|| tell_json(letter, outcome, detail));
            } else if failed {
                self.note(&format!("{}: not {}: {}", line(letter), self.past(), line(detail)));
            }
        }
        self.show_count();
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
        self.bar.suspend(|| eprintln!("{text}"));
    }

    /// The last words, and the exit code.
    pub(super) fn finish(self, ending: &Ending, act: Option<&str>) -> Exit {
        self.bar.finish_and_clear();
        let words = self.summary(ending, act);
        if self.json {
            eprintln!("{words}");
        } else {
            // As above: a reader that has gone away changes nothing.
            let _ = output::print(|out| writeln!(out, "{words}"));
        }
        exit(ending, self.done, self.failed + self.unknown)
    }

    fn summary(&self, ending: &Ending, act: Option<&str>) -> String {
        let Self { done, failed, unknown, .. } = self;
        let mut words = match (ending, done + failed + unknown) {
            (Ending::Complete, 0) => "no dead letter passes the filters; nothing was done".to_owned(),
            _ => format!("{done} {}", self.past()),
        };
        for (count, what) in [(failed, "failed"), (unknown, "not found")] {
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
                words.push_str("; interrupted: the others are where they were, the same command goes on")
            }
            Ending::Stopped(reason) => {
                words.push_str(&format!("; stopped, the others are where they were: {}", line(reason)));
            }
        }
        words
    }

    fn show_count(&self) {
        self.bar.set_message(format!("{} {}", self.done, self.past()));
    }

    fn past(&self) -> &'static str {
        match self.kind {
            ActKind::Replay => "replayed",
            ActKind::Drop => "dropped",
        }
    }
}

/// Said of an id that was asked for.
pub(super) const NO_SUCH_LETTER: &str = "no dead letter has this id";

/// The exit code: 3 only where some was done and some was not.
pub(super) fn exit(ending: &Ending, done: u32, not_done: u32) -> Exit {
    match (ending, done, not_done) {
        (Ending::Complete, _, 0) => Exit::Done,
        (Ending::Interrupted, _, _) => Exit::Failed,
        (Ending::Complete | Ending::Stopped(_), 0, _) => Exit::Failed,
        (Ending::Complete | Ending::Stopped(_), _, _) => Exit::Partial,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(done: u32, failed: u32, unknown: u32) -> Report {
        Report { kind: ActKind::Replay, json: false, bar: ProgressBar::hidden(), done, failed, unknown }
    }

    #[test]
    fn the_exit_code_tells_all_some_and_none_apart() {
        let stopped = Ending::Stopped("x".to_owned());
        assert_eq!(exit(&Ending::Complete, 3, 0), Exit::Done);
        assert_eq!(exit(&Ending::Complete, 0, 0), Exit::Done, "a filter that matches nothing is no failure");
        assert_eq!(exit(&Ending::Complete, 3, 1), Exit::Partial);
        assert_eq!(exit(&Ending::Complete, 0, 1), Exit::Failed);
        assert_eq!(exit(&stopped, 3, 0), Exit::Partial);
        assert_eq!(exit(&stopped, 0, 3), Exit::Failed);
        assert_eq!(exit(&Ending::Interrupted, 3, 0), Exit::Failed);
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
