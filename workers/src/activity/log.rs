//! The task that writes the lines, so that no consumer waits for whatever stderr is connected to.

use std::sync::Arc;

use sluice_mysql::Recorded;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::line_limit::LineLimit;
use super::summary::{Summary, Totals};
use super::{Activity, PostLine};
use crate::in_flight::InFlight;

/// Writes to the log what is reported to an [`Activity`].
pub struct ActivityLog {
    activity: Arc<Activity>,
    lines: mpsc::Receiver<PostLine>,
    limit: LineLimit,
    in_flight: Arc<InFlight>,
    began: Instant,
}

impl ActivityLog {
    pub(super) fn new(activity: Arc<Activity>, lines: mpsc::Receiver<PostLine>, in_flight: Arc<InFlight>) -> Self {
        Self { activity, lines, limit: LineLimit::default(), in_flight, began: Instant::now() }
    }

    /// Writes until `end`, then a summary of the whole run, for which it waits at most a second.
    pub async fn run(mut self, end: CancellationToken) {
        loop {
            let free = self.limit.free_at().unwrap_or_else(Instant::now);
            // Load begins with a full channel, so there is a line to take, and this is checked again after it.
            let due = self.activity.summaries().due();
            let summary_is_due = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due.max(free)).await,
                    None => std::future::pending().await,
                }
            };
            let lines = &mut self.lines;
            let next_line = async {
                tokio::time::sleep_until(free).await;
                lines.recv().await
            };
            tokio::select! {
                () = end.cancelled() => break,
                () = summary_is_due => if let Some(summary) = self.activity.summary() {
                    self.write_summary(&summary, "summary");
                },
                Some(line) = next_line => self.write_line(line),
            }
        }
        self.finish().await;
    }

    /// Writes as many lines as are still allowed, except one, which is reserved for the summary.
    async fn finish(mut self) {
        while self.limit.room(Instant::now()) > 1
            && let Ok(line) = self.lines.try_recv()
        {
            self.write_line(line);
        }
        let summary = Summary { totals: self.activity.counters.totals(), took: self.began.elapsed() };
        if summary.totals != Totals::default() {
            tokio::time::sleep_until(self.limit.free_at().unwrap_or_else(Instant::now)).await;
            self.write_summary(&summary, "summary of the whole run");
        }
    }

    fn write_line(&mut self, PostLine { post, recorded, verdict, rule, after }: PostLine) {
        let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        let said = match recorded {
            Recorded::Inserted => "stored",
            Recorded::AlreadyRecorded => "was stored already",
        };
        tracing::info!(target: "activity", %post, verdict = %verdict.as_str(), rule, after_ms, "{said}");
        self.limit.count(Instant::now());
    }

    fn write_summary(&mut self, summary: &Summary, what: &str) {
        let Summary { totals, took } = summary;
        let Totals { approved, held, rejected, already_stored, dead_lettered, retried, released } = *totals;
        let (stored, in_flight) = (totals.stored(), self.in_flight.count());
        let (seconds, per_second) = (tenths(took.as_secs_f64()), tenths(summary.per_second()));
        tracing::info!(
            target: "activity", seconds, stored, approved, held, rejected, already_stored, dead_lettered, retried,
            released, in_flight, per_second, "{what}"
        );
        self.limit.count(Instant::now());
    }
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use sluice_core::post::PostId;
    use sluice_core::verdict::{Review, Verdict};

    /// So many posts at equal intervals. Returns whether that was load, and the totals.
    async fn posts(number: u32, apart: Duration) -> (bool, Totals) {
        let (activity, log) = Activity::new(Arc::default());
        let (end, mut load) = (CancellationToken::new(), false);
        let writing = tokio::spawn(log.run(end.clone()));
        let review = Review {
            verdict: Verdict::Approved,
            reasons: Vec::new(),
            scores: Vec::new(),
            shadow: Vec::new(),
            ruleset: String::new(),
        };
        for _ in 0..number {
            activity.stored(PostId::new(), Recorded::Inserted, &review, Duration::ZERO);
            load |= activity.under_load.load(Ordering::Relaxed);
            tokio::time::sleep(apart).await;
        }
        end.cancel();
        writing.await.expect("the task ends");
        (load, activity.counters.totals())
    }

    #[tokio::test(start_paused = true)]
    async fn five_posts_a_second_are_no_load_and_six_are() {
        let counted = |approved| Totals { approved, ..Totals::default() };
        assert_eq!(posts(600, Duration::from_millis(200)).await, (false, counted(600)));
        assert_eq!(posts(600, Duration::from_millis(166)).await, (true, counted(600)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_handful_of_posts_at_one_moment_is_no_load() {
        assert_eq!(posts(10, Duration::ZERO).await, (false, Totals { approved: 10, ..Totals::default() }));
    }
}
