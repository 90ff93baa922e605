//! How far first decisions and blind second opinions agree.

use serde::Serialize;

use crate::interval::{Z, wilson};
use crate::verdict::Verdict;

/// Agreement of pairs of verdicts. Shares and kappa are none where they cannot be computed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Agreement {
    /// Second opinions that were given.
    pub second_opinions: u64,
    /// Of them those that say what the first decision said.
    pub agreed: u64,
    /// Their share.
    pub agreement: Option<f64>,
    /// The share is at least this, by Wilson's interval of 95 %.
    pub agreement_low: Option<f64>,
    /// And at most this.
    pub agreement_high: Option<f64>,
    /// Cohen's kappa: 0 is the agreement of chance, 1 that of all. None where all verdicts are the same.
    pub kappa: Option<f64>,
    /// Kappa is at least this, by its interval of 95 %. None where all agree: the data tell no spread.
    pub kappa_low: Option<f64>,
    /// And at most this.
    pub kappa_high: Option<f64>,
}

impl Agreement {
    /// Of these pairs: the first decision, and the second opinion.
    #[must_use]
    pub fn of(pairs: impl IntoIterator<Item = (Verdict, Verdict)>) -> Self {
        let mut counts = [[0_u32; 2]; 2];
        for (first, second) in pairs {
            let place = |verdict| usize::from(verdict != Verdict::Approved);
            counts[place(first)][place(second)] += 1;
        }
        let all: u32 = counts.iter().flatten().sum();
        let agreed = counts[0][0] + counts[1][1];
        if all == 0 {
            return Self::default();
        }
        let [low, high] = wilson(agreed.into(), all.into());
        let kappa = Kappa::of(counts);
        let interval = kappa.and_then(Kappa::interval);
        Self {
            second_opinions: all.into(),
            agreed: agreed.into(),
            agreement: Some(f64::from(agreed) / f64::from(all)),
            agreement_low: Some(low),
            agreement_high: Some(high),
            kappa: kappa.map(|kappa| kappa.kappa),
            kappa_low: interval.map(|[low, _]| low),
            kappa_high: interval.map(|[_, high]| high),
        }
    }
}

/// Cohen's kappa of two raters and two categories.
#[derive(Debug, Clone, Copy)]
struct Kappa {
    kappa: f64,
    /// Its variance in large samples: Fleiss, Cohen and Everitt, Psychological Bulletin 72 (1969), equation 13.
    variance: f64,
}

impl Kappa {
    /// None where both raters always say the same thing: nothing is left to agree about.
    fn of(counts: [[u32; 2]; 2]) -> Option<Self> {
        let n = f64::from(counts.iter().flatten().sum::<u32>());
        let p = counts.map(|row| row.map(|count| f64::from(count) / n));
        let first = [p[0][0] + p[0][1], p[1][0] + p[1][1]];
        let second = [p[0][0] + p[1][0], p[0][1] + p[1][1]];
        let observed = p[0][0] + p[1][1];
        let expected = first[0] * second[0] + first[1] * second[1];
        let left = 1.0 - expected;
        if left < f64::EPSILON {
            return None;
        }
        let same = |at: usize| p[at][at] * (left - (first[at] + second[at]) * (1.0 - observed)).powi(2);
        let other = |row: usize, column: usize| p[row][column] * (second[row] + first[column]).powi(2);
        let off = (1.0 - observed).powi(2) * (other(0, 1) + other(1, 0));
        let square = (observed * expected - 2.0 * expected + observed).powi(2);
        let variance = (same(0) + same(1) + off - square).max(0.0) / (n * left.powi(4));
        Some(Self { kappa: (observed - expected) / left, variance })
    }

    fn interval(self) -> Option<[f64; 2]> {
        let half = Z * self.variance.sqrt();
        (half > f64::EPSILON).then(|| [(self.kappa - half).max(-1.0), (self.kappa + half).min(1.0)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Approved, Rejected};

    fn agreement(both: usize, first: usize, second: usize, neither: usize) -> Agreement {
        let kinds = [((Approved, Approved), both), ((Approved, Rejected), first), ((Rejected, Approved), second)];
        let pairs = kinds.into_iter().chain([((Rejected, Rejected), neither)]);
        Agreement::of(pairs.flat_map(|(pair, times)| std::iter::repeat_n(pair, times)))
    }

    fn near(found: Option<f64>, wanted: f64) {
        assert!(found.is_some_and(|found| (found - wanted).abs() < 0.0005), "{found:?} is not {wanted}");
    }

    /// Of a table of 20, 5, 10 and 15, kappa is 0.4 by hand; the intervals were computed once more, outside this program.
    #[test]
    fn kappa_and_its_interval_are_those_of_the_textbook() {
        let known = agreement(20, 5, 10, 15);
        assert_eq!((known.second_opinions, known.agreed), (50, 35));
        near(known.agreement, 0.7);
        near(known.agreement_low, 0.5625);
        near(known.agreement_high, 0.8090);
        near(known.kappa, 0.4);
        near(known.kappa_low, 0.1511);
        near(known.kappa_high, 0.6489);
        // The same agreement by chance alone, and less than that.
        near(agreement(25, 25, 25, 25).kappa, 0.0);
        near(agreement(0, 10, 10, 0).kappa, -1.0);
        // Much agreement, of which most is chance.
        let skewed = agreement(90, 4, 4, 2);
        near(skewed.agreement, 0.92);
        near(skewed.kappa, 0.2908);
    }

    #[test]
    fn what_cannot_be_computed_is_not_shown() {
        assert_eq!(Agreement::of([]), Agreement::default());
        let all = agreement(10, 0, 0, 0);
        assert_eq!((all.agreement, all.kappa, all.kappa_low), (Some(1.0), None, None));
        let agreed = agreement(10, 0, 0, 10);
        near(agreed.kappa, 1.0);
        assert_eq!(agreed.kappa_low, None);
        assert!(agreed.agreement_low.is_some_and(|low| low < 0.9));
    }
}
