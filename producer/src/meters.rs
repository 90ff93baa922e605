//! What `/metrics` shows of the front door.

use std::time::Duration;

use metrics::{Counter, Histogram};

/// The counters, looked up once.
#[derive(Clone)]
pub struct Meters {
    accepted: Counter,
    seconds: Histogram,
}

impl Meters {
    const REFUSED: &'static str = "sluice_posts_refused_total";

    /// The meters of this process. What is counted before the recorder is installed is lost.
    #[must_use]
    pub fn new() -> Self {
        metrics::describe_counter!("sluice_posts_accepted_total", "Posts that the broker confirmed");
        metrics::describe_counter!(Self::REFUSED, "Posts that were not accepted, by the name of the problem");
        metrics::describe_histogram!(
            "sluice_accept_seconds",
            metrics::Unit::Seconds,
            "From the arrival of a single post to the broker's confirm, of accepted posts"
        );
        Self {
            accepted: metrics::counter!("sluice_posts_accepted_total"),
            seconds: metrics::histogram!("sluice_accept_seconds"),
        }
    }

    /// A single post was accepted, after so long.
    pub fn accepted(&self, after: Duration) {
        self.accepted.increment(1);
        self.seconds.record(after);
    }

    /// So many posts of a batch were accepted.
    pub fn accepted_in_batch(&self, posts: u64) {
        self.accepted.increment(posts);
    }

    /// A post was refused; `reason` is the name of its problem.
    pub fn refused(&self, reason: &'static str) {
        metrics::counter!(Self::REFUSED, "reason" => reason).increment(1);
    }
}

impl Default for Meters {
    fn default() -> Self {
        Self::new()
    }
}
