//! The worker status: each worker says who it is and what it is doing, when it is asked.
//!
//! RabbitMQ knows how many consumers a queue has. It does not know which worker each belongs to, which workers wait for
//! MySQL and so have no consumers, or how old the posts in flight are. A request goes to a fan-out exchange; each
//! worker has its own queue there, and answers the caller directly.
//!
//! ```text
//!  sluice status ──call──► PREFIX_worker_status ──► a queue of each worker's own
//!        ▲                                             │
//!        └───────────────── WorkerStatus ◄─────────────────┘
//! ```
//!
//! All of this is separate from the posts: its own connection, nothing durable, nothing confirmed. A worker that cannot
//! answer is missing, and the caller says so.

mod answer;
mod call;

pub use answer::answer;
pub use call::call;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// How these connections are named in RabbitMQ's lists.
const PURPOSE: &str = "worker status";

/// What a worker reports about itself. A reader ignores fields that it does not know, so that two versions can talk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerStatus {
    /// Its name, as on the rows it stores.
    pub worker: String,
    /// Its process id, on its own machine.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// The rules it reviews by.
    pub ruleset: String,
    /// When it was started, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// What it is doing.
    pub state: State,
    /// Why it is paused, when it is.
    pub paused: Option<Paused>,
    /// Consumers that it has now.
    pub consumers: u32,
    /// Posts in flight, not yet answered.
    pub in_flight: u32,
    /// Posts that it has stored and acknowledged since it was started.
    #[serde(default)]
    pub stored: u64,
    /// Posts that it has dead-lettered since it was started.
    #[serde(default)]
    pub dead_lettered: u64,
    /// When the oldest post in flight was submitted, UTC, to the second. With nothing in flight, that of the oldest one
    /// it had last: posts that wait in the queue are not older.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub oldest_submitted_at: Option<OffsetDateTime>,
    /// Since when it reviews by its rules; none from a version that does not say.
    #[serde(default)]
    pub rules: Option<RulesInForce>,
    /// The scorer that was learnt from people's decisions, if it has one.
    #[serde(default)]
    pub scorer: Option<ScorerInForce>,
    /// The outside reviewer that it asks, if it has one.
    #[serde(default)]
    pub reviewer: Option<OutsideReviewer>,
}

/// The longest text of an answer, in characters: why a worker is paused, why its rules were refused.
const TEXT_MAX_CHARS: usize = 500;

impl WorkerStatus {
    /// With texts cut to a length that limits the whole answer. Names are already limited where they are set.
    fn bounded(mut self) -> Self {
        let paused = self.paused.as_mut().map(|paused| &mut paused.message);
        let refused = self.rules.as_mut().and_then(|rules| rules.refused.as_mut()).map(|refused| &mut refused.why);
        let reviewer = self.reviewer.as_mut().and_then(|reviewer| reviewer.why.as_mut());
        let scorer = self.scorer.as_mut().and_then(|scorer| scorer.refused.as_mut()).map(|refused| &mut refused.why);
        for text in [paused, refused, scorer, reviewer].into_iter().flatten() {
            if let Some((end, _)) = text.char_indices().nth(TEXT_MAX_CHARS) {
                text.truncate(end);
                text.push('…');
            }
        }
        self
    }
}

/// How the rules in force came to be so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesInForce {
    /// Since when they are in force, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// Newer rules in the file, which this worker has refused.
    pub refused: Option<RulesRefused>,
}

/// The scorer that a worker uses beside its rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScorerInForce {
    /// `learned`, `@`, and the first digits of its file's checksum.
    pub id: String,
    /// Since when it is in force, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// Why it decides nothing yet; none: it does.
    pub in_shadow: Option<String>,
    /// A newer scorer in the file, which this worker has refused.
    pub refused: Option<RulesRefused>,
}

/// Newer rules, or a newer scorer, that a worker refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesRefused {
    /// When, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Why.
    pub why: String,
}

/// The state of a worker's requests to the outside reviewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideReviewer {
    /// `closed`: requests are sent. `open`: no requests are sent after consecutive failures. `half_open`: one request tests whether it is back.
    pub circuit: String,
    /// Since when it is not closed, UTC.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub since: Option<OffsetDateTime>,
    /// The failure that opened it.
    pub why: Option<String>,
}

/// What a worker is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It takes posts.
    Consuming,
    /// It waits for a dependency, and takes no posts.
    Paused,
    /// It has no RabbitMQ session for posts yet.
    Connecting,
    /// It finishes what is in flight, and ends.
    Stopping,
    /// Something that this version does not know.
    #[serde(other)]
    Unknown,
}

impl State {
    /// Its name in JSON and in text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Consuming => "consuming",
            Self::Paused => "paused",
            Self::Connecting => "connecting",
            Self::Stopping => "stopping",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a worker is paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paused {
    /// What it waits for: `mysql`.
    pub dependency: String,
    /// Since when, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// The latest failure's short name.
    pub code: String,
    /// What happened.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_a_newer_version_is_understood() {
        let newer = r#"{"worker":"w","pid":1,"version":"9.0.0","ruleset":"r","started_at":"2026-11-22T16:00:00Z",
                        "state":"dreaming","paused":null,"consumers":8,"in_flight":0,"moods":["calm"]}"#;
        let status: WorkerStatus = serde_json::from_str(newer).expect("it is understood");
        assert_eq!((status.state, status.oldest_submitted_at, status.stored), (State::Unknown, None, 0));
        assert_eq!((status.rules, status.scorer, status.reviewer), (None, None, None));
    }
}
