//! Which posts the rules are uncertain about.

use sluice_core::verdict::{Review, Score, Verdict};

/// Which posts the outside reviewer is asked about. What the rules reject is never asked about: nothing it could say
/// would change that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Ask {
    /// Posts that the rules hold
    Held,
    /// Posts that the rules hold, and posts with a category near its threshold
    Near,
    /// All posts that the rules do not reject
    Always,
}

impl Ask {
    /// Whether the rules' review leaves doubt. `near` is how much of its first threshold a category must have reached
    /// to be near it, in percent.
    #[must_use]
    pub fn wants(self, review: &Review, near: u32) -> bool {
        match (review.verdict, self) {
            (Verdict::Rejected, _) => false,
            (Verdict::Held, _) | (Verdict::Approved, Self::Always) => true,
            (Verdict::Approved, Self::Held) => false,
            (Verdict::Approved, Self::Near) => review.scores.iter().any(|score| is_near(score, near)),
        }
    }
}

/// Whether a sum has reached so much of the threshold that it would come to first.
fn is_near(score: &Score, percent: u32) -> bool {
    let first = score.hold.or(score.reject);
    first.is_some_and(|first| u64::from(score.sum) * 100 >= u64::from(first) * u64::from(percent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RuleSet;

    /// The review of a post that no rule matches.
    fn clean() -> Review {
        RuleSet::parse("[categories.spam]\nhold = 50\n", "r.toml").expect("valid rules").review_text("", "")
    }

    fn review(verdict: Verdict, sum: u32, hold: Option<u32>, reject: Option<u32>) -> Review {
        let scores = vec![Score { category: "spam".to_owned(), sum, hold, reject, urgent: false }];
        Review { verdict, scores, ..clean() }
    }

    #[test]
    fn what_the_rules_reject_is_never_asked_about() {
        for ask in [Ask::Held, Ask::Near, Ask::Always] {
            assert!(!ask.wants(&review(Verdict::Rejected, 100, Some(50), Some(100)), 0));
        }
    }

    #[test]
    fn what_the_rules_hold_is_always_asked_about() {
        for ask in [Ask::Held, Ask::Near, Ask::Always] {
            assert!(ask.wants(&review(Verdict::Held, 50, Some(50), Some(100)), 100));
        }
    }

    #[test]
    fn near_begins_at_its_own_share_of_the_first_threshold() {
        let asked = |sum, hold, reject| Ask::Near.wants(&review(Verdict::Approved, sum, hold, reject), 50);
        assert_eq!([24, 25, 49].map(|sum| asked(sum, Some(50), Some(100))), [false, true, true]);
        assert_eq!([49, 50].map(|sum| asked(sum, None, Some(100))), [false, true], "a category that only rejects");
        assert!(!asked(10, None, None), "a category without a threshold decides nothing");
    }

    #[test]
    fn a_clean_post_is_asked_about_only_always() {
        assert_eq!([Ask::Held, Ask::Near, Ask::Always].map(|ask| ask.wants(&clean(), 1)), [false, false, true]);
    }
}
