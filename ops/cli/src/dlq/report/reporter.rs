//! Reports the outcome of each dead letter as it becomes known, and the summary at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use indicatif::ProgressBar;
use sluice_mysql::{OperationItem, OperationKind};
use sluice_runtime::exit::Exit;

use super::outcome::{Ending, NO_SUCH_DEAD_LETTER, NOT_KNOWN, exit, report_json};
use super::wording::Wording;
use crate::progress::bar_at_rate;
use crate::visible::line;
use sluice_runtime::output::{self, report};

/// Counts outcomes and prints them.
pub(in crate::dlq) struct Reporter {
    wording: Wording,
    json: bool,
    bar: ProgressBar,
    done: u32,
    /// Those that were replayed too often.
    left: u32,
    failed: u32,
    /// Those of which it is not known whether it was done.
    not_known: u32,
    unknown: u32,
    skipped: u32,
    /// How many dead letters were acted on, for the estimate of the time left.
    acted: Arc<AtomicU64>,
}

impl Reporter {
    /// Reports on an operation on `dead_letters` dead letters, at most `rate` of them a second. On a terminal it
    /// shows a progress bar.
    pub(in crate::dlq) fn new(wording: Wording, json: bool, dead_letters: u32, rate: Option<u32>) -> Self {
        let acted = Arc::new(AtomicU64::new(0));
        let template = "{bar:30} {pos}/{len} looked at, {msg} [{elapsed}, about {time_left} left]";
        let bar = bar_at_rate(dead_letters.into(), template, Arc::clone(&acted), rate);
        let report =
            Self { wording, json, bar, done: 0, left: 0, failed: 0, not_known: 0, unknown: 0, skipped: 0, acted };
        report.show_count();
        report
    }

    /// The dead letters are read again from the first on; there are so many of them now.
    pub(in crate::dlq) fn again(&self, dead_letters: u32) {
        self.bar.reset();
        self.bar.set_length(dead_letters.into());
    }

    /// One more dead letter was read.
    pub(in crate::dlq) fn passed(&self) {
        self.bar.inc(1);
    }

    /// Prints the outcomes of a batch: as JSON all of them, for people those that failed.
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
                    self.note(&format!("{}: not known whether {}: {}", line(dead_letter), self.past(), line(detail)))
                }
                "left" => self.note(&format!("{}: left where it is: {}", line(dead_letter), line(detail))),
                _ => {}
            }
        }
        self.show_count();
    }

    /// Prints the outcome of a dead letter on which the operation did not act.
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

    /// Prints the summary, and gives the exit code.
    pub(in crate::dlq) fn finish(self, ending: &Ending, operation: Option<&str>) -> Exit {
        self.bar.finish_and_clear();
        let words = self.summary(ending, operation);
        if self.json {
            report!("{words}");
        } else {
            // If nobody reads stdout any more, the outcome is the same.
            let _ = output::print(|out| writeln!(out, "{words}"));
        }
        exit(ending, self.done, self.left + self.unknown, self.failed + self.not_known)
    }

    fn summary(&self, ending: &Ending, operation: Option<&str>) -> String {
        let Self { done, left, failed, not_known, unknown, skipped, .. } = self;
        let mut words = match (ending, done + left + failed + not_known + unknown + skipped) {
            (Ending::Complete, 0) => "no dead letter passes the filters; nothing was done".to_owned(),
            _ => format!("{done} {}", self.past()),
        };
        for (count, what) in [
            (left, "left where they are"),
            (failed, "failed"),
            (not_known, "not known"),
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
                words.push_str(&format!("; interrupted: {}, the same command goes on", self.others()));
            }
            Ending::Stopped(reason) => {
                words.push_str(&format!("; stopped, {}: {}", self.others(), line(reason)));
            }
        }
        words
    }

    /// What is known of those on which the operation did not act.
    fn others(&self) -> &'static str {
        match self.wording.kind {
            OperationKind::Import => "no further line was imported",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dlq::report::wording::REPLAY;

    fn report(done: u32, failed: u32, unknown: u32) -> Reporter {
        Reporter {
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
    fn the_last_words_say_what_was_done_and_how_to_go_on() {
        assert!(report(0, 0, 0).summary(&Ending::Complete, None).contains("nothing was done"));
        assert_eq!(
            report(5, 1, 2).summary(&Ending::Complete, Some("77")),
            "5 replayed, 1 failed, 2 not found (recorded as operation 77)"
        );
        assert!(report(5, 0, 0).summary(&Ending::Interrupted, None).contains("the same command goes on"));
        assert!(report(5, 1, 0).summary(&Ending::Stopped("it is full".to_owned()), None).ends_with("it is full"));
    }
}
