//! The search for weights and thresholds: one at a time, as long as a change gains rows.
//!
//! A change must gain [`GAIN_MIN`] rows that should be flagged, or end a false alarm where there are too many. So a
//! rule that matches one row keeps its weight, and no weight is made to fit a single text.

use super::rates::Rates;
use super::sample::Sample;
use crate::rules::{Category, Rule};

/// How many more rows a change must find.
const GAIN_MIN: usize = 2;
/// How often all weights and thresholds are gone through at most.
const ROUNDS_MAX: usize = 10;
/// Weights and thresholds are tried in steps of so much.
const STEP: u32 = 5;
/// The heaviest weight that is tried: more says no more than this where a post is held from 50 on.
const WEIGHT_MAX: u32 = 70;
/// The thresholds that are tried.
const HOLD_MIN: u32 = 30;
const HOLD_MAX: u32 = 80;

/// What weights are searched in.
pub(super) struct Ground<'a> {
    categories: &'a [Category],
    rules: &'a [Rule],
    /// The first rule whose weight may change.
    own: usize,
}

/// Weights by rule, and by category the sum that holds or, where none does, rejects.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    pub(super) weights: Vec<u32>,
    pub(super) holds: Vec<u32>,
}

/// What is better: fewer false alarms too many, then more rows found.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Worth {
    too_many: usize,
    found: usize,
}

/// What may change.
#[derive(Debug, Clone, Copy)]
enum Adjustable {
    /// A rule's weight.
    Weight(usize),
    /// A category's threshold.
    Hold(usize),
}

impl Weights {
    fn with(&self, place: Adjustable, value: u32) -> Self {
        let mut changed = self.clone();
        match place {
            Adjustable::Weight(nth) => changed.weights[nth] = value,
            Adjustable::Hold(nth) => changed.holds[nth] = value,
        }
        changed
    }
}

impl Worth {
    fn of(rates: Rates, allowed: usize) -> Self {
        Self { too_many: rates.false_alarms.hits.saturating_sub(allowed), found: rates.found.hits }
    }

    fn is_better_than(self, other: Self) -> bool {
        self.too_many < other.too_many || (self.too_many == other.too_many && self.found >= other.found + GAIN_MIN)
    }
}

impl<'a> Ground<'a> {
    pub(super) fn new(categories: &'a [Category], rules: &'a [Rule], own: usize) -> Self {
        Self { categories, rules, own }
    }

    pub(super) fn as_it_is(&self) -> Weights {
        let threshold = |category: &Category| category.hold.or(category.reject).unwrap_or(u32::MAX);
        Weights {
            weights: self.rules.iter().map(|rule| rule.weight).collect(),
            holds: self.categories.iter().map(threshold).collect(),
        }
    }

    /// The rates of these samples with these weights.
    pub(super) fn rates(&self, samples: &[&Sample], with: &Weights) -> Rates {
        let mut rates = Rates::default();
        samples.iter().for_each(|sample| rates.count(sample.flag, self.is_flagged(sample, with)));
        rates
    }

    /// The best that is found, beginning with what is.
    pub(super) fn search(&self, samples: &[&Sample], wanted: f64) -> Weights {
        let clean = samples.iter().filter(|sample| !sample.flag).count();
        let allowed = (clean as f64 * wanted).floor() as usize;
        let mut best = self.as_it_is();
        let mut rates = self.rates(samples, &best);
        for _ in 0..ROUNDS_MAX {
            let before = rates;
            for place in self.places() {
                let concerned: Vec<&Sample> = samples.iter().copied().filter(|row| self.concerns(place, row)).collect();
                if concerned.len() < GAIN_MIN {
                    continue;
                }
                for value in self.values(place, &best) {
                    let tried = best.with(place, value);
                    let (was, is) = (self.rates(&concerned, &best), self.rates(&concerned, &tried));
                    let after = rates.with(was, is);
                    if Worth::of(after, allowed).is_better_than(Worth::of(rates, allowed)) {
                        (best, rates) = (tried, after);
                    }
                }
            }
            if before == rates {
                break;
            }
        }
        best
    }

    /// What may change: not what rejects by itself, and not where somebody may need help.
    fn places(&self) -> impl Iterator<Item = Adjustable> {
        let rules = (self.own..self.rules.len()).filter(|nth| {
            let Rule { category, weight, shadow, .. } = &self.rules[*nth];
            let Category { reject, urgent, .. } = &self.categories[*category];
            !shadow && !urgent && *weight > 0 && reject.is_none_or(|reject| *weight < reject)
        });
        let categories = (0..self.categories.len())
            .filter(|nth| !self.categories[*nth].urgent && self.categories[*nth].hold.is_some());
        rules.map(Adjustable::Weight).chain(categories.map(Adjustable::Hold))
    }

    /// What is tried there, the nearest to what is there now first.
    fn values(&self, place: Adjustable, now: &Weights) -> Vec<u32> {
        let (now, from, to) = match place {
            Adjustable::Weight(nth) => (now.weights[nth], 0, WEIGHT_MAX),
            Adjustable::Hold(nth) => {
                let below_reject = self.categories[nth].reject.map_or(HOLD_MAX, |reject| HOLD_MAX.min(reject - 1));
                (now.holds[nth], HOLD_MIN, below_reject)
            }
        };
        let mut values: Vec<u32> = (from..=to).step_by(STEP as usize).filter(|value| *value != now).collect();
        values.sort_by_key(|value| value.abs_diff(now));
        values
    }

    /// Whether a change there can make a difference to a row.
    fn concerns(&self, place: Adjustable, row: &Sample) -> bool {
        row.matched.iter().any(|(rule, _)| match place {
            Adjustable::Weight(nth) => *rule == nth,
            Adjustable::Hold(nth) => self.rules[*rule].category == nth,
        })
    }

    fn is_flagged(&self, sample: &Sample, with: &Weights) -> bool {
        let mut sums = vec![0u32; self.categories.len()];
        for (rule, times) in &sample.matched {
            let sum = &mut sums[self.rules[*rule].category];
            *sum = sum.saturating_add(with.weights[*rule].saturating_mul(*times));
        }
        (0..sums.len()).any(|nth| self.categories[nth].sum(nth, &sums) >= with.holds[nth])
    }
}
