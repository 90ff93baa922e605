//! The parts of a rule set, checked.

use sluice_core::verdict::Verdict;

use crate::ways::Way;

/// A kind of harm, with the sums of weights from which a post is held or rejected.
#[derive(Debug, Clone, Default)]
pub(crate) struct Category {
    pub(crate) name: String,
    pub(crate) hold: Option<u32>,
    pub(crate) reject: Option<u32>,
    /// The categories whose sums are added to this one's, once it has one.
    pub(crate) with: Vec<usize>,
    /// Its posts are held and never rejected, and are the first to be looked at.
    pub(crate) urgent: bool,
}

impl Category {
    /// The sum of this category, the one of these, with what other categories add to it. They speak of company, not of
    /// this harm: they never make a sum that rejects, nor any where nothing of this category was found.
    pub(crate) fn sum(&self, nth: usize, sums: &[u32]) -> u32 {
        let own = sums[nth];
        let others = self.with.iter().fold(0u32, |sum, other| sum.saturating_add(sums[*other]));
        let most = self.reject.map_or(u32::MAX, |reject| reject - 1).max(own);
        if own == 0 { 0 } else { own.saturating_add(others).min(most) }
    }

    /// The verdict of this category by its sum.
    pub(crate) fn verdict(&self, sum: u32) -> Verdict {
        let reached = |threshold: Option<u32>| threshold.is_some_and(|threshold| sum >= threshold);
        match (reached(self.reject), reached(self.hold)) {
            (true, _) => Verdict::Rejected,
            (false, true) => Verdict::Held,
            (false, false) => Verdict::Approved,
        }
    }
}

/// A list, a pattern, a link, a signal or a combination; reasons name it.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) id: String,
    /// Which of [`super::Rules::categories`].
    pub(crate) category: usize,
    pub(crate) weight: u32,
    /// It is reported, and decides nothing.
    pub(crate) shadow: bool,
}

/// A folded word or phrase.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    pub(crate) text: String,
    /// Which of [`super::Rules::rules`] it belongs to; `None`: it is an allowed phrase.
    pub(crate) rule: Option<usize>,
    pub(crate) words: bool,
}

/// One of the ways in which a regular expression can match folded text.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    pub(crate) way: Way,
    /// Which of [`super::Rules::rules`] it belongs to; `None`: what it matches is allowed.
    pub(crate) rule: Option<usize>,
}

/// A rule that matches where others match together.
#[derive(Debug, Clone)]
pub(crate) struct Combination {
    pub(crate) rule: usize,
    pub(crate) all: Vec<usize>,
    /// One of these too, if there are any.
    pub(crate) any: Vec<usize>,
    /// How far the last of them may begin behind the first, in bytes of one field; `None`: anywhere in the post.
    pub(crate) within: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_reached_at_their_own_value() {
        let category = Category { name: "spam".to_owned(), hold: Some(50), reject: Some(100), ..Category::default() };
        let verdicts = [0, 49, 50, 99, 100, u32::MAX].map(|sum| category.verdict(sum));
        use Verdict::{Approved, Held, Rejected};
        assert_eq!(verdicts, [Approved, Approved, Held, Held, Rejected, Rejected]);
        let only_hold = Category { reject: None, ..category };
        assert_eq!(only_hold.verdict(u32::MAX), Held);
    }

    #[test]
    fn other_categories_add_to_a_sum_and_never_reject() {
        let drugs =
            Category { name: "drugs".to_owned(), hold: Some(50), reject: Some(100), with: vec![1, 2], urgent: false };
        let sum = |sums: [u32; 3]| drugs.sum(0, &sums);
        assert_eq!(sum([20, 25, 10]), 55);
        assert_eq!(sum([0, 25, 60]), 0, "nothing of drugs was found");
        assert_eq!(sum([60, 50, 50]), 99, "it takes this category to reject");
        assert_eq!(sum([120, 50, 0]), 120);
        assert_eq!(Category { reject: None, ..drugs.clone() }.sum(0, &[1, u32::MAX, 9]), u32::MAX);
    }
}
