//! The outcome of a run, and from which line to go on.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The outcome of a run.
#[derive(Debug)]
pub struct PublishOutcome {
    /// Posts and bad lines taken from the source.
    pub read: u64,
    /// Posts confirmed.
    pub published: u64,
    /// Lines that were not posts.
    pub bad: u64,
    /// How long it took.
    pub took: Duration,
    /// The first line that is neither confirmed nor named as bad.
    pub next: u64,
    /// The lines after it that are confirmed all the same.
    pub beyond: Vec<RangeInclusive<u64>>,
    /// How it ended.
    pub end: End,
}

/// How a run ended.
#[derive(Debug)]
pub enum End {
    /// The source was read to its end, and every post confirmed.
    Complete,
    /// It was stopped, and finished what was under way.
    Stopped,
    /// By this error.
    Failed(anyhow::Error),
}

pub(super) fn per_second(posts: u64, took: Duration) -> f64 {
    posts as f64 / took.as_secs_f64().max(0.001)
}

impl PublishOutcome {
    /// Where to go on, for people: what is done, what comes next, and what of it must be left out.
    #[must_use]
    pub fn going_on(&self, source: &str) -> String {
        let mut text = match self.next {
            1 => format!("no line of {source} is confirmed; go on from line 1"),
            next => format!(
                "lines 1..={} of {source} are confirmed (or were named as bad); go on from line {next}",
                next - 1
            ),
        };
        if !self.beyond.is_empty() {
            let lines: Vec<_> = self.beyond.iter().map(LineRange).map(|lines| lines.to_string()).collect();
            text += &format!(", without these, which are confirmed too: {}", lines.join(", "));
        }
        text
    }
}

/// The summary, in one line.
impl fmt::Display for PublishOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { read, published, bad, took, .. } = self;
        let rate = per_second(*published, *took);
        write!(f, "{read} read, {published} published, {bad} bad in {:.1} s ({rate:.0} posts/s)", took.as_secs_f64())
    }
}

struct LineRange<'a>(&'a RangeInclusive<u64>);

impl fmt::Display for LineRange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.0.start(), self.0.end());
        if from == to { write!(f, "{from}") } else { write!(f, "{from}-{to}") }
    }
}
