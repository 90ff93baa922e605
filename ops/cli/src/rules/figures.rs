//! The figures of a set of texts: recall and false positives.

use std::time::Duration;

use serde::{Serialize, Serializer};
use sluice_core::verdict::Verdict;

use super::row::Expect;

/// Counts of rows, and the figures they come to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Figures {
    /// How many.
    pub(super) rows: u64,
    /// How many of them were held or rejected.
    pub(super) flagged: u64,
    /// Of those that should be flagged, the share that was; null if none should.
    #[serde(serialize_with = "as_share")]
    pub(super) recall: Share,
    /// Of those that should be clean, the share that was flagged; null if none should.
    #[serde(serialize_with = "as_share")]
    pub(super) false_positive_rate: Share,
    /// How many of those that should be clean were rejected.
    pub(super) rejected_clean: u64,
    /// How many such texts one core reviews in a second; null without rows.
    #[serde(serialize_with = "as_speed")]
    pub(super) posts_per_second: Speed,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Share {
    part: u64,
    whole: u64,
}

impl Share {
    fn count(&mut self, is_part: bool) {
        self.whole += 1;
        self.part += u64::from(is_part);
    }

    /// From 0 to 1; `None` of nothing.
    pub(super) fn value(self) -> Option<f64> {
        (self.whole > 0).then(|| self.part as f64 / self.whole as f64)
    }
}

/// So many in such a time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Speed {
    count: u64,
    took: Duration,
}

impl Speed {
    /// A second; `None` if there was nothing to measure.
    pub(super) fn value(self) -> Option<u64> {
        (!self.took.is_zero()).then(|| (self.count as f64 / self.took.as_secs_f64()).round() as u64)
    }
}

impl Figures {
    /// One more row: what it should get and what it got, each time it was reviewed, and how long all times took.
    pub(super) fn count(&mut self, expect: Expect, verdict: Verdict, times: u64, took: Duration) {
        let flagged = verdict != Verdict::Approved;
        self.rows += 1;
        self.flagged += u64::from(flagged);
        match expect {
            Expect::Flag => self.recall.count(flagged),
            Expect::Clean => {
                self.false_positive_rate.count(flagged);
                self.rejected_clean += u64::from(verdict == Verdict::Rejected);
            }
        }
        self.posts_per_second.count += times;
        self.posts_per_second.took += took;
    }
}

fn as_share<S: Serializer>(share: &Share, serializer: S) -> Result<S::Ok, S::Error> {
    // Four digits are more than any set of texts can resolve.
    share.value().map(|value| (value * 10_000.0).round() / 10_000.0).serialize(serializer)
}

fn as_speed<S: Serializer>(speed: &Speed, serializer: S) -> Result<S::Ok, S::Error> {
    speed.value().serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn shares_are_of_the_rows_that_expect_the_same() {
        use Verdict::{Approved, Held, Rejected};
        let mut figures = Figures::default();
        let took = Duration::from_millis(1);
        for (expect, verdict) in [
            (Expect::Flag, Held),
            (Expect::Flag, Rejected),
            (Expect::Flag, Approved),
            (Expect::Clean, Approved),
            (Expect::Clean, Rejected),
            (Expect::Clean, Held),
            (Expect::Clean, Approved),
        ] {
            figures.count(expect, verdict, 2, took);
        }
        let told = serde_json::to_value(&figures).expect("figures are JSON");
        let expected = json!({
            "rows": 7, "flagged": 4, "recall": 0.6667, "false_positive_rate": 0.5, "rejected_clean": 1,
            "posts_per_second": 2000
        });
        assert_eq!(told, expected);
    }

    #[test]
    fn a_share_of_nothing_is_no_figure() {
        let told = serde_json::to_value(Figures::default()).expect("figures are JSON");
        assert_eq!((&told["recall"], &told["posts_per_second"]), (&json!(null), &json!(null)));
    }
}
