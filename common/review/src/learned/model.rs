//! The weights of n-grams, and what they come to for a text.

use super::buckets::Buckets;
use super::features::bucket;
use super::listed::Listed;

/// How much each n-gram speaks against a text, or for it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Weights {
    /// All n-grams of a bucket have its weight.
    OfBuckets(Vec<i8>),
    /// Those that are listed have one each, all others none.
    Listed(Listed),
}

impl Weights {
    /// Those of all buckets; none where n-grams are listed.
    pub(super) fn of_buckets(&self) -> &[i8] {
        match self {
            Self::OfBuckets(weights) => weights,
            Self::Listed(_) => &[],
        }
    }

    /// The weight of an n-gram.
    pub(super) fn of(&self, hash: u64) -> i8 {
        match self {
            Self::OfBuckets(weights) => weights[bucket(hash) as usize],
            Self::Listed(listed) => listed.weight(hash),
        }
    }
}

/// Weights, and how they are read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Model {
    /// One of each n-gram, in parts of `scale`.
    pub(super) weights: Weights,
    /// What a weight of one is.
    pub(super) scale: f32,
    /// What a text has against it before its first n-gram.
    pub(super) bias: f32,
}

impl Model {
    /// Of weights as they were found: each to 127 parts of the heaviest.
    pub(super) fn quantised(weights: &[f32], bias: f32) -> Self {
        let heaviest = weights.iter().fold(0.0_f32, |heaviest, weight| heaviest.max(weight.abs()));
        let scale = if heaviest > 0.0 { heaviest / f32::from(i8::MAX) } else { 1.0 };
        let weights = weights.iter().map(|weight| (weight / scale).round() as i8).collect();
        Self { weights: Weights::OfBuckets(weights), scale, bias }
    }

    /// What speaks against a text with these folded fields, minus what speaks for it, as the logarithm of the odds; and
    /// how many buckets it has.
    pub(super) fn sum<'a>(&self, buckets: &mut Buckets, fields: impl IntoIterator<Item = &'a str>) -> (f32, usize) {
        let (sum, count) = match &self.weights {
            Weights::OfBuckets(weights) => buckets.weighed(fields, |hash| weights[bucket(hash) as usize]),
            Weights::Listed(listed) => buckets.weighed(fields, |hash| listed.weight(hash)),
        };
        (self.odds(sum, count), count)
    }

    /// The odds of a text with so many buckets, whose weights come to this. How long a text is makes no difference.
    fn odds(&self, sum: i32, buckets: usize) -> f32 {
        self.bias + sum as f32 * self.share(buckets)
    }

    /// The least sum from which a text may be flagged: odds of two to one, and more against it than against a text that
    /// is like nothing that was learnt.
    pub(super) fn least(&self) -> f32 {
        self.bias.max(std::f32::consts::LN_2)
    }

    /// How much a weight of one adds to the sum of a text with so many buckets.
    pub(super) fn share(&self, buckets: usize) -> f32 {
        self.scale / (buckets.max(1) as f32).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_weight_is_kept_and_length_makes_no_difference() {
        let model = Model::quantised(&[2.0, -1.0, 0.001, 2.0, 2.0, 2.0], 0.25);
        assert_eq!(model.weights, Weights::OfBuckets(vec![127, -64, 0, 127, 127, 127]));
        assert!((model.odds(127, 1) - 2.25).abs() < 1e-6);
        assert!((model.odds(4 * 127, 4) - 4.25).abs() < 1e-6, "four times the weights in twice the length");
        assert_eq!(model.odds(0, 0), 0.25);
        assert_eq!(Model::quantised(&[0.0], 0.0).odds(0, 1), 0.0);
    }
}
