//! What a process has done within an interval, and when it logs that.

use std::time::Duration;

use tokio::time::Instant;

use super::line_limit::LINES;

/// How far apart summaries are.
pub const EVERY: Duration = Duration::from_secs(10);

/// The outcomes of posts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// New rows with this verdict.
    pub approved: u64,
    /// New rows with this verdict.
    pub held: u64,
    /// New rows with this verdict.
    pub rejected: u64,
    /// Posts whose row was there before: delivered or submitted twice.
    pub already_stored: u64,
    /// Posts that went to the dead letters.
    pub dead_lettered: u64,
    /// Attempts that failed and were followed by another one.
    pub retried: u64,
    /// Posts that went back to the queue.
    pub released: u64,
}

impl Totals {
    /// New rows.
    #[must_use]
    pub fn stored(&self) -> u64 {
        self.approved + self.held + self.rejected
    }

    /// Posts that are finished.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.stored() + self.already_stored + self.dead_lettered
    }

    /// What was added since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            approved: self.approved.saturating_sub(earlier.approved),
            held: self.held.saturating_sub(earlier.held),
            rejected: self.rejected.saturating_sub(earlier.rejected),
            already_stored: self.already_stored.saturating_sub(earlier.already_stored),
            dead_lettered: self.dead_lettered.saturating_sub(earlier.dead_lettered),
            retried: self.retried.saturating_sub(earlier.retried),
            released: self.released.saturating_sub(earlier.released),
        }
    }
}

/// What was done within an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The outcomes of the posts.
    pub totals: Totals,
    /// How long the interval was.
    pub took: Duration,
}

impl Summary {
    /// Posts that were finished, per second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.totals.done() as f64 / self.took.as_secs_f64().max(f64::EPSILON)
    }

    /// Whether there were few enough posts for a line each.
    fn is_light(&self) -> bool {
        self.per_second() <= LINES as f64
    }
}

/// The load that is summarised at the moment, if there is any.
#[derive(Debug, Default)]
pub struct Summaries {
    /// When the interval of the next summary began, and the totals at that time.
    since: Option<(Instant, Totals)>,
}

impl Summaries {
    /// There are more posts than lines: from `now` on they are summarised.
    pub fn begin(&mut self, now: Instant, totals: Totals) {
        self.since.get_or_insert((now, totals));
    }

    /// When the next summary is to be written, if one is.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.since.map(|(began, _)| began + EVERY)
    }

    /// The summary up to `now`. If there were few posts, it is the last one: posts get their own lines again. An
    /// interval in which nothing happened is not logged.
    pub fn take(&mut self, now: Instant, totals: Totals) -> Option<Summary> {
        let (began, before) = self.since?;
        let summary = Summary { totals: totals.since(&before), took: now - began };
        self.since = (!summary.is_light()).then_some((now, totals));
        (summary.totals != Totals::default()).then_some(summary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approved(approved: u64) -> Totals {
        Totals { approved, ..Totals::default() }
    }

    #[test]
    fn load_is_summarised_every_ten_seconds_until_there_is_little_of_it() {
        let (mut summaries, begun) = (Summaries::default(), Instant::now());
        assert_eq!((summaries.due(), summaries.take(begun, approved(15))), (None, None), "no load, no summary");
        summaries.begin(begun, approved(15));
        summaries.begin(begun + Duration::from_secs(1), approved(900));
        assert_eq!(summaries.due(), Some(begun + EVERY), "it began with the first post that had no line");
        let first = summaries.take(begun + EVERY, approved(1015)).expect("a summary");
        assert_eq!((first.totals, first.per_second()), (approved(1000), 100.0));
        assert_eq!(summaries.due(), Some(begun + EVERY * 2));
        let last = summaries.take(begun + EVERY * 2, approved(1065)).expect("a summary");
        assert_eq!((last.totals, last.per_second()), (approved(50), 5.0));
        assert_eq!(summaries.due(), None, "five a second have lines of their own");
    }

    #[test]
    fn a_load_that_ends_with_its_summary_has_no_empty_one_after_it() {
        let (mut summaries, begun) = (Summaries::default(), Instant::now());
        summaries.begin(begun, Totals::default());
        assert!(summaries.take(begun + EVERY, approved(1000)).is_some());
        assert_eq!(summaries.take(begun + EVERY * 2, approved(1000)), None);
        assert_eq!(summaries.due(), None);
    }

    #[test]
    fn retries_alone_are_worth_a_summary() {
        let (mut summaries, begun) = (Summaries::default(), Instant::now());
        summaries.begin(begun, Totals::default());
        let totals = Totals { retried: 3, ..Totals::default() };
        assert_eq!(summaries.take(begun + EVERY, totals).map(|summary| summary.totals), Some(totals));
    }
}
