//! Reports the outcome of each dead letter as it becomes known, and the summary at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use indicatif::ProgressBar;
use sluice_mysql::{OperationItem, OperationKind};
use sluice_runtime::exit::Exit;

use super::audience::Audience;
use super::outcome::{Ending, NO_SUCH_DEAD_LETTER, NOT_KNOWN, exit, report_json};
use super::progress::Steps;
use super::wording::Wording;
use crate::progress::bar_at_rate;
use crate::visible::line;
use sluice_runtime::output::{self, report};

/// Counts outcomes and prints them.
pub(crate) struct Reporter {
    wording: Wording,
    audience: Audience,
    bar: ProgressBar,
    done: u32,
    /// Those that were replayed too often.
    left: u32,
    failed: u32,
    /// Those with an unknown outcome.
    not_known: u32,
    unknown: u32,
    skipped: u32,
    /// How many dead letters were acted on, for the estimate of the time left.
    acted: Arc<AtomicU64>,
}

impl Reporter {
    /// Reports on an operation on `dead_letters` dead letters, at most `rate` of them a second. On a terminal it
    /// shows a progress bar.
    pub(crate) fn new(wording: Wording, audience: Audience, dead_letters: u32, rate: Option<u32>) -> Self {
        let acted = Arc::new(AtomicU64::new(0));
        let template = "{bar:30} {pos}/{len} checked, {msg} [{elapsed}, about {time_left} left]";
        let bar = match &audience {
            Audience::Terminal { .. } => bar_at_rate(dead_letters.into(), template, Arc::clone(&acted), rate),
            Audience::Page(_) => ProgressBar::hidden(),
        };
        if let Some(page) = audience.page() {
            page.change(|steps| steps.total = dead_letters);
        }
        let report =
            Self { wording, audience, bar, done: 0, left: 0, failed: 0, not_known: 0, unknown: 0, skipped: 0, acted };
        report.show_count();
        report
    }

    /// The dead letters are read again from the first on; there are so many of them now.
    pub(crate) fn again(&self, dead_letters: u32) {
        self.bar.reset();
        self.bar.set_length(dead_letters.into());
        self.page(|steps| (steps.total, steps.passed) = (dead_letters, 0));
    }

    /// One more dead letter was read.
    pub(crate) fn passed(&self) {
        self.bar.inc(1);
        self.page(|steps| steps.passed += 1);
    }

    /// Prints the outcomes of a batch: as JSON all of them, for people those that failed.
    pub(crate) fn report(&mut self, outcomes: &[OperationItem]) {
        for OperationItem { dead_letter, outcome, detail, .. } in outcomes {
            let count = match *outcome {
                "failed" => &mut self.failed,
                "left" => &mut self.left,
                NOT_KNOWN => &mut self.not_known,
                _ => &mut self.done,
            };
            *count += 1;
            self.acted.fetch_add(1, Relaxed);
            if self.audience.is_json() {
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

    /// Prints the outcome of a dead letter on which the operation did not act.
    pub(crate) fn report_one(&mut self, id: &str, outcome: &str, detail: &str) {
        match outcome {
            "failed" => self.failed += 1,
            _ => self.skipped += 1,
        }
        if self.audience.is_json() {
            self.bar.suspend(|| report_json(id, outcome, detail));
        } else {
            self.note(&format!("{}: {}", line(id), line(detail)));
        }
    }

    /// Names ids that no dead letter had.
    pub(crate) fn unknown(&mut self, ids: &[String]) {
        for id in ids {
            self.unknown += 1;
            if self.audience.is_json() {
                self.bar.suspend(|| report_json(id, "unknown", NO_SUCH_DEAD_LETTER));
            } else {
                self.note(&format!("{}: {NO_SUCH_DEAD_LETTER}", line(id)));
            }
        }
    }

    /// A line for people: on stderr, or on the page.
    pub(crate) fn note(&self, text: &str) {
        match self.audience.page() {
            Some(page) => page.say(text),
            None => self.bar.suspend(|| report!("{text}")),
        }
    }

    fn page(&self, change: impl FnOnce(&mut Steps)) {
        if let Some(page) = self.audience.page() {
            page.change(change);
        }
    }

    /// Prints the summary, and gives the exit code.
    pub(crate) fn finish(self, ending: &Ending, operation: Option<&str>) -> Exit {
        self.bar.finish_and_clear();
        let words = self.summary(ending, operation);
        if let Some(page) = self.audience.page() {
            page.change(|steps| steps.summary = Some(words));
        } else if self.audience.is_json() {
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

    /// What is known of those on which the operation did not act.
    fn others(&self) -> &'static str {
        match self.wording.kind {
            OperationKind::Import => "no further lines were imported",
            _ => "the others are unchanged",
        }
    }

    fn show_count(&self) {
        self.bar.set_message(format!("{} {}", self.done, self.past()));
        self.page(|steps| (steps.done, steps.failed) = (self.done, self.failed + self.not_known));
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
            audience: Audience::Terminal { json: false },
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
        assert!(report(5, 0, 0).summary(&Ending::Interrupted, None).contains("run the same command again"));
        assert!(report(5, 1, 0).summary(&Ending::Stopped("it is full".to_owned()), None).ends_with("it is full"));
    }
}
