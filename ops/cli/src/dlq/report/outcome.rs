//! The outcome of each dead letter, reported as it becomes known, and the resulting exit code.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use indicatif::ProgressBar;
use serde::Serialize;
use sluice_mysql::{OperationItem, OperationKind};
use sluice_rabbit::dead_letters::DeadLetter;
use sluice_runtime::exit::Exit;

use super::wording::Wording;
use crate::progress::bar_at_rate;
use crate::visible::line;
use sluice_runtime::output::{self, report};

/// The outcomes of a batch.
pub(in crate::dlq) struct Batch {
    /// The outcome of each dead letter, in order.
    pub(in crate::dlq) outcomes: Vec<OperationItem>,
    /// Why the operation cannot continue.
    pub(in crate::dlq) stop: Option<String>,
}

impl Batch {
    /// A batch of which nothing was done.
    pub(in crate::dlq) fn not_begun(reason: String) -> Self {
        Self { outcomes: Vec::new(), stop: Some(reason) }
    }
}

/// The result of a batch.
pub(in crate::dlq) enum Done {
    /// Something was done, or nothing can be done.
    Acted(Batch),
    /// Nothing was done, because MySQL is down for now.
    NotNow(Vec<DeadLetter>, String),
    /// Everything was done, but is not recorded yet because MySQL is down.
    Unrecorded(Batch, String),
}

/// How an operation ended.
#[derive(Debug)]
pub(in crate::dlq) enum Ending {
    /// All dead letters were seen.
    Complete,
    /// By Ctrl-C or SIGTERM.
    Interrupted,
    /// Something prevents it.
    Stopped(String),
}

/// One line of `--json`.
#[derive(Serialize)]
struct OutcomeLine<'a> {
    id: &'a str,
    outcome: &'a str,
    detail: &'a str,
}

/// Prints one outcome of `--json`. A closed pipe must not stop an operation halfway.
pub(in crate::dlq) fn report_json(id: &str, outcome: &str, detail: &str) {
    let _ = output::print(|out| output::json_line(out, &OutcomeLine { id, outcome, detail }));
}

/// Counts and reports.
pub(in crate::dlq) struct Report {
    wording: Wording,
    json: bool,
    bar: ProgressBar,
    done: u32,
    /// Those that were left: replayed too often.
    left: u32,
    failed: u32,
    /// Those with an unknown outcome.
    not_known: u32,
    unknown: u32,
    skipped: u32,
    /// How many dead letters were acted on, for the time that is left.
    acted: Arc<AtomicU64>,
}

impl Report {
    /// A report on an operation that will see `dead_letters` dead letters, and operations on at most `rate` of them a
    /// second. On a terminal it shows a progress bar.
    pub(in crate::dlq) fn new(wording: Wording, json: bool, dead_letters: u32, rate: Option<u32>) -> Self {
        let acted = Arc::new(AtomicU64::new(0));
        let template = "{bar:30} {pos}/{len} checked, {msg} [{elapsed}, about {time_left} left]";
        let bar = bar_at_rate(dead_letters.into(), template, Arc::clone(&acted), rate);
        let report =
            Self { wording, json, bar, done: 0, left: 0, failed: 0, not_known: 0, unknown: 0, skipped: 0, acted };
        report.show_count();
        report
    }

    /// The dead letters are browsed again from the first one; there are now so many.
    pub(in crate::dlq) fn again(&self, dead_letters: u32) {
        self.bar.reset();
        self.bar.set_length(dead_letters.into());
    }

    /// One more dead letter was checked.
    pub(in crate::dlq) fn passed(&self) {
        self.bar.inc(1);
    }

    /// Reports the outcomes of a batch: as JSON all of them, for people those that were not done.
    pub(in crate::dlq) fn report(&mut self, outcomes: &[OperationItem]) {
        for OperationItem { dead_letter, outcome, detail, .. } in outcomes {
            let count = match *outcome {
                "failed" => &mut self.failed,
                "left" => &mut self.left,
                NOT_KNOWN => &mut self.not_known,
                _ => &mut self.done,
            };
            *count += 1;
            self.acted.fetch_add(1, Relaxed);
            if self.json {
                self.bar.suspend(|| report_json(dead_letter, outcome, detail));
                continue;
            }
            match *outcome {
                "failed" => self.note(&format!("{}: not {}: {}", line(dead_letter), self.past(), line(detail))),
                NOT_KNOWN => {
                    let (id, detail) = (line(dead_letter), line(detail));
                    self.note(&format!("{id}: unknown whether it was {}: {detail}", self.past()))
                }
                "left" => self.note(&format!("{}: left in the queue: {}", line(dead_letter), line(detail))),
                _ => {}
            }
        }
        self.show_count();
    }

    /// Reports the outcome of a dead letter that needed no operation.
    pub(in crate::dlq) fn report_one(&mut self, id: &str, outcome: &str, detail: &str) {
        match outcome {
            "failed" => self.failed += 1,
            _ => self.skipped += 1,
        }
        if self.json {
            self.bar.suspend(|| report_json(id, outcome, detail));
        } else {
            self.note(&format!("{}: {}", line(id), line(detail)));
        }
    }

    /// Names ids that no dead letter had.
    pub(in crate::dlq) fn unknown(&mut self, ids: &[String]) {
        for id in ids {
            self.unknown += 1;
            if self.json {
                self.bar.suspend(|| report_json(id, "unknown", NO_SUCH_DEAD_LETTER));
            } else {
                self.note(&format!("{}: {NO_SUCH_DEAD_LETTER}", line(id)));
            }
        }
    }

    /// A line for people, on stderr.
    pub(in crate::dlq) fn note(&self, text: &str) {
        self.bar.suspend(|| report!("{text}"));
    }

    /// The summary, and the exit code.
    pub(in crate::dlq) fn finish(self, ending: &Ending, operation: Option<&str>) -> Exit {
        self.bar.finish_and_clear();
        let words = self.summary(ending, operation);
        if self.json {
            report!("{words}");
        } else {
            // As above: a closed pipe changes nothing.
            let _ = output::print(|out| writeln!(out, "{words}"));
        }
        exit(ending, self.done, self.left + self.unknown, self.failed + self.not_known)
    }

    fn summary(&self, ending: &Ending, operation: Option<&str>) -> String {
        let Self { done, left, failed, not_known, unknown, skipped, .. } = self;
        let mut words = match (ending, done + left + failed + not_known + unknown + skipped) {
            (Ending::Complete, 0) => "no dead letter matches the filters; nothing was done".to_owned(),
            _ => format!("{done} {}", self.past()),
        };
        for (count, what) in [
            (left, "left in the queue"),
            (failed, "failed"),
            (not_known, "unknown"),
            (unknown, "not found"),
            (skipped, "skipped"),
        ] {
            if *count > 0 {
                words.push_str(&format!(", {count} {what}"));
            }
        }
        if let Some(operation) = operation {
            words.push_str(&format!(" (recorded as operation {operation})"));
        }
        match ending {
            Ending::Complete => {}
            Ending::Interrupted => {
                words.push_str(&format!("; interrupted: {}; run the same command again to continue", self.others()));
            }
            Ending::Stopped(reason) => {
                words.push_str(&format!("; stopped, {}: {}", self.others(), line(reason)));
            }
        }
        words
    }

    /// What happened to the rest.
    fn others(&self) -> &'static str {
        match self.wording.kind {
            OperationKind::Import => "no further lines were imported",
            _ => "the others are unchanged",
        }
    }

    fn show_count(&self) {
        self.bar.set_message(format!("{} {}", self.done, self.past()));
    }

    fn past(&self) -> &'static str {
        self.wording.past
    }
}

/// The outcome of a dead letter without a confirm.
pub(in crate::dlq) const NOT_KNOWN: &str = "unknown";

/// For an id that no dead letter has.
pub(in crate::dlq) const NO_SUCH_DEAD_LETTER: &str = "no dead letter has this id";

/// The exit code: 1 if nothing could be done, 130 if interrupted, 3 if some were not done. `missed` are those without
/// an error for which there was nothing to do: no dead letter has the id, or it was left in the queue.
pub(in crate::dlq) fn exit(ending: &Ending, done: u32, missed: u32, failed: u32) -> Exit {
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
    use super::*;
    use crate::dlq::report::wording::REPLAY;

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
            skipped: 0,
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
        assert_eq!(exit(&Ending::Complete, 0, 1, 0), Exit::Partial, "an id that no dead letter has");
        assert_eq!(exit(&Ending::Complete, 0, 1, 1), Exit::Failed);
        assert_eq!(exit(&stopped, 3, 0, 0), Exit::Partial);
        assert_eq!(exit(&stopped, 0, 0, 3), Exit::Failed);
        assert_eq!(exit(&Ending::Interrupted, 3, 0, 0), Exit::Interrupted);
    }

    #[test]
    fn the_last_words_say_what_was_done_and_how_to_go_on() {
        assert!(report(0, 0, 0).summary(&Ending::Complete, None).contains("nothing was done"));
        assert_eq!(
            report(5, 1, 2).summary(&Ending::Complete, Some("77")),
            "5 replayed, 1 failed, 2 not found (recorded as operation 77)"
        );
        assert!(report(5, 0, 0).summary(&Ending::Interrupted, None).contains("run the same command again"));
        assert!(report(5, 1, 0).summary(&Ending::Stopped("it is full".to_owned()), None).ends_with("it is full"));
    }
}
