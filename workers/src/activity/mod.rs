//! What a process logs about the posts that it handles: a line for each at light traffic, a summary every 10 s
//! under load, and one of the whole run at its end. Ids, verdicts and rules, never a post's text, title or author.
//!
//! ```text
//!  handler ─┬─► counters (atomic) ─────────────────► summaries ─┐
//!           └─► bounded channel, unless under load ─► lines ────┴─► task ─► log: at most five lines a second
//! ```
//!
//! Consumers only count, and put a line into the channel while there is room. A full channel means load: from then on,
//! a post costs only an addition or two, without a lock or an allocation, until a summary shows that there are few
//! posts again.

mod line_limit;
mod log;
mod summary;

pub use line_limit::LineLimit;
pub use log::ActivityLog;
pub use summary::{EVERY, Summaries, Summary, Totals};

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sluice_core::post::PostId;
use sluice_core::verdict::{Review, Verdict};
use sluice_mysql::Recorded;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::in_flight::InFlight;

/// How many posts may wait for their line: two seconds' worth, so that a few posts at the same moment are not load yet.
const WAITING: usize = 10;

/// Where the handler reports the outcomes of posts.
pub struct Activity {
    counters: Counters,
    lines: mpsc::Sender<PostLine>,
    /// Whether posts are only counted.
    under_load: AtomicBool,
    summaries: Mutex<Summaries>,
}

#[derive(Default)]
struct Counters {
    approved: AtomicU64,
    held: AtomicU64,
    rejected: AtomicU64,
    already_stored: AtomicU64,
    dead_lettered: AtomicU64,
    retried: AtomicU64,
    released: AtomicU64,
}

/// A post that is in MySQL.
struct PostLine {
    post: PostId,
    recorded: Recorded,
    verdict: Verdict,
    /// The first rule among the reasons for a verdict other than approved.
    rule: Option<String>,
    /// From the submission to the row.
    after: Duration,
}

impl Activity {
    /// Both ends. `in_flight` are the posts that the process has not settled yet.
    #[must_use]
    pub fn new(in_flight: Arc<InFlight>) -> (Arc<Self>, ActivityLog) {
        let (lines, waiting) = mpsc::channel(WAITING);
        let activity = Arc::new(Self {
            counters: Counters::default(),
            lines,
            under_load: AtomicBool::new(false),
            summaries: Mutex::default(),
        });
        let log = ActivityLog::new(Arc::clone(&activity), waiting, in_flight);
        (activity, log)
    }

    /// A post is in MySQL, `after` so long since its submission.
    pub fn stored(&self, post: PostId, recorded: Recorded, review: &Review, after: Duration) {
        if !self.under_load.load(Ordering::Relaxed) {
            // Findings in an approved post did not decide the verdict.
            let reason = review.reasons.first().filter(|_| review.verdict != Verdict::Approved);
            let rule = reason.map(|reason| reason.rule.clone());
            let line = PostLine { post, recorded, verdict: review.verdict, rule, after };
            if self.lines.try_send(line).is_err() {
                self.summaries().begin(Instant::now(), self.counters.totals());
                self.under_load.store(true, Ordering::Relaxed);
            }
        }
        let counters = &self.counters;
        add(match (recorded, review.verdict) {
            (Recorded::AlreadyRecorded, _) => &counters.already_stored,
            (Recorded::Inserted, Verdict::Approved) => &counters.approved,
            (Recorded::Inserted, Verdict::Held) => &counters.held,
            (Recorded::Inserted, Verdict::Rejected) => &counters.rejected,
        });
    }

    /// A post was dead-lettered. This is logged separately.
    pub fn dead_lettered(&self) {
        add(&self.counters.dead_lettered);
    }

    /// An attempt failed and will be followed by another one.
    pub fn retried(&self) {
        add(&self.counters.retried);
    }

    /// A post went back to the queue.
    pub fn released(&self) {
        add(&self.counters.released);
    }

    /// The summary that is due now, and whether posts have lines of their own again after it.
    fn summary(&self) -> Option<Summary> {
        let mut summaries = self.summaries();
        let summary = summaries.take(Instant::now(), self.counters.totals());
        self.under_load.store(summaries.due().is_some(), Ordering::Relaxed);
        summary
    }

    fn summaries(&self) -> MutexGuard<'_, Summaries> {
        // Nothing in here can panic halfway.
        self.summaries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counters {
    fn totals(&self) -> Totals {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Totals {
            approved: read(&self.approved),
            held: read(&self.held),
            rejected: read(&self.rejected),
            already_stored: read(&self.already_stored),
            dead_lettered: read(&self.dead_lettered),
            retried: read(&self.retried),
            released: read(&self.released),
        }
    }
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
