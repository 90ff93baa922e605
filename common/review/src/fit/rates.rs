//! Shares of rows, each with how certain it is.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};
use sluice_core::interval::wilson;

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
        wilson(self.hits as u64, self.of as u64)
    }
}
