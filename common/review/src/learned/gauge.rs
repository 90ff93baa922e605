//! Weights in use: what they add to a review. They may hold a post that the rules approve, and nothing else: they never
//! reject, and never make a verdict weaker.

use std::cell::RefCell;

use sluice_core::verdict::{Reason, Review, Score, Verdict};

use super::buckets::Buckets;
use super::finding::{Stretch, stretches};
use super::model::Model;
use crate::explain::Finding;
use crate::fields;
use crate::fold::folded;
use crate::score::cut;

/// From how many points a post is held.
const HOLD: u32 = 50;
/// From how many points it is noted what was said of a post that is not held: half as much.
const NOTED: u32 = HOLD / 2;
/// How many n-grams a text has at least, of which anything can be said: some four characters. One of a number alone would
/// weigh as much as all of a sentence.
const NGRAMS_MIN: usize = 12;

thread_local! {
    /// The buckets of the text that is looked at: there is one text at a time, and the bits of its buckets take longer
    /// to make than to use.
    static BUCKETS: RefCell<Buckets> = RefCell::default();
}

/// Weights, and from which sum on they hold a post.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gauge {
    /// The rule and the category of what is found.
    pub(super) name: &'static str,
    pub(super) model: Model,
    pub(super) threshold: f32,
}

/// What was found in a text.
pub(super) struct Found {
    /// From 50 on they hold it.
    pub(super) points: u32,
    /// If they do, the stretches that spoke most, at least one.
    pub(super) named: Vec<Stretch>,
}

impl Gauge {
    /// What it says of a text, from 0 to 100: 50 for as much as holds a post, 100 for certainty.
    pub(super) fn points(&self, title: &str, content: &str) -> u32 {
        self.as_points(self.sum(title, content).0)
    }

    /// What it finds in a text, if that is worth noting.
    pub(super) fn found(&self, title: &str, content: &str) -> Option<Found> {
        let (sum, buckets) = self.sum(title, content);
        let points = self.as_points(sum);
        if points < NOTED || buckets < NGRAMS_MIN {
            return None;
        }
        if sum <= self.threshold {
            return Some(Found { points: points.min(HOLD - 1), named: Vec::new() });
        }
        let share = self.model.share(buckets);
        let weigh = |hash: u64| share * f32::from(self.model.weights.of(hash));
        let read = fields(title, content).map(|(name, text, limit)| (name, &text[..text.floor_char_boundary(limit)]));
        let named = stretches(self.name, read, weigh);
        // Where nothing speaks against a text, nothing is found, whatever it is that a text begins with.
        (!named.is_empty()).then(|| Found { points: points.max(HOLD), named })
    }

    /// Adds to a review what was found in its text. What does not hold it comes last among its scores.
    pub(super) fn add(&self, review: &mut Review, Found { points, named }: Found) {
        let reasons = named.into_iter().map(told);
        let score =
            Score { category: self.name.to_owned(), sum: points, hold: Some(HOLD), reject: None, urgent: false };
        if points < HOLD {
            review.scores.push(score);
        } else if review.verdict == Verdict::Approved {
            // It decided: its category is that of the case.
            review.verdict = Verdict::Held;
            review.reasons.splice(0..0, reasons);
            review.scores.insert(0, score);
        } else {
            review.reasons.extend(reasons);
            review.scores.push(score);
        }
    }

    /// What it finds, for people, and why that does not count. The texts are not cut.
    pub(super) fn findings(&self, title: &str, content: &str, dropped: Option<&str>) -> Vec<Finding> {
        let Some(Found { points, named }) = self.found(title, content) else { return Vec::new() };
        let finding = |stretch: Stretch| Finding {
            // Its share of the points.
            weight: (points as f32 * stretch.share).round() as u32,
            reason: stretch.reason,
            dropped: dropped.map(str::to_owned),
        };
        named.into_iter().map(finding).collect()
    }

    /// A text's sum, and how many buckets it has.
    pub(super) fn sum(&self, title: &str, content: &str) -> (f32, usize) {
        let folded = fields(title, content).map(|(_, text, limit)| folded(&text[..text.floor_char_boundary(limit)]));
        BUCKETS.with_borrow_mut(|buckets| self.model.sum(buckets, folded.iter().map(String::as_str)))
    }

    /// The odds, compared with those from which it holds.
    fn as_points(&self, sum: f32) -> u32 {
        (100.0 / (1.0 + (self.threshold - sum).exp())).round() as u32
    }
}

/// As a row keeps it.
pub(super) fn told(stretch: Stretch) -> Reason {
    let (text, matched) = (cut(&stretch.reason.text), cut(&stretch.reason.matched));
    Reason { text, matched, ..stretch.reason }
}
