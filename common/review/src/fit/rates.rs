//! Shares of rows, each with how certain it is.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// How much is found, and at what price.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// Of the rows that should be flagged, those that are.
    pub found: Share,
    /// Of the rows that should not be flagged, those that are.
    pub false_alarms: Share,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// So many.
    pub hits: usize,
    /// Of so many.
    pub of: usize,
}

impl Rates {
    /// Counts one row.
    pub(crate) fn count(&mut self, should_be: bool, is: bool) {
        let share = if should_be { &mut self.found } else { &mut self.false_alarms };
        share.of += 1;
        share.hits += usize::from(is);
    }
}

impl Rates {
    /// These rates, with some of the rows counted anew.
    pub(super) fn with(mut self, was: Self, is: Self) -> Self {
        self.found.hits = self.found.hits + is.found.hits - was.found.hits;
        self.false_alarms.hits = self.false_alarms.hits + is.false_alarms.hits - was.false_alarms.hits;
        self
    }
}

impl AddAssign for Rates {
    fn add_assign(&mut self, other: Self) {
        for (share, other) in [(&mut self.found, other.found), (&mut self.false_alarms, other.false_alarms)] {
            share.hits += other.hits;
            share.of += other.of;
        }
    }
}

impl Share {
    /// The share, from 0 to 1; 0 of nothing.
    #[must_use]
    pub fn value(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.hits as f64 / self.of as f64 }
    }

    /// Between which values the share of all texts like these lies, with 95 % certainty: Wilson's interval.
    #[must_use]
    pub fn interval(self) -> [f64; 2] {
        if self.of == 0 {
            return [0.0, 1.0];
        }
        // The quantile of the normal distribution for 95 %.
        const Z: f64 = 1.96;
        let (n, p) = (self.of as f64, self.value());
        let middle = p + Z * Z / (2.0 * n);
        let reach = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        [middle - reach, middle + reach].map(|bound| (bound / (1.0 + Z * Z / n)).clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_narrows_with_the_rows_and_holds_the_share() {
        for (hits, of, low, high) in [(5, 10, 0.237, 0.763), (50, 100, 0.404, 0.596), (0, 100, 0.0, 0.037)] {
            let share = Share { hits, of };
            let [from, to] = share.interval();
            assert!((from - low).abs() < 0.001 && (to - high).abs() < 0.001, "{hits} of {of}: {from} to {to}");
            assert!((from..=to).contains(&share.value()));
        }
        assert_eq!(Share::default().interval(), [0.0, 1.0]);
    }
}
