//! The metrics of the HTTP API.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram};

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
            "Time from the arrival of a single post to the broker's confirm, for accepted posts"
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

/// The metrics of the broker, as seen by the HTTP API.
pub struct BrokerMeters {
    up: Gauge,
}

impl BrokerMeters {
    const OUTAGES: &'static str = "sluice_producer_outages_total";

    /// The meters of this process.
    #[must_use]
    pub fn new() -> Self {
        metrics::describe_gauge!(
            "sluice_producer_broker_up",
            "1 while RabbitMQ accepts posts, or refuses them only because its queue is full"
        );
        metrics::describe_counter!(Self::OUTAGES, "How often RabbitMQ stopped accepting posts, by the first error");
        Self { up: metrics::gauge!("sluice_producer_broker_up") }
    }

    /// Whether it accepts posts.
    pub fn up(&self, up: bool) {
        self.up.set(if up { 1.0 } else { 0.0 });
    }

    /// It stopped accepting posts; `reason` is the name of the problem.
    pub fn outage(&self, reason: &'static str) {
        metrics::counter!(Self::OUTAGES, "reason" => reason).increment(1);
    }
}

impl Default for BrokerMeters {
    fn default() -> Self {
        Self::new()
    }
}
