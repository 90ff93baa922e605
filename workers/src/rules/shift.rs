//! Would new rules, or a new scorer, change too much? A file with a typo (an empty term, a threshold of 1 instead of 100) can be valid
//! and pass its own tests; its effect on the last posts shows the mistake. Pure functions.

use std::fmt;
use std::sync::Arc;

use sluice_core::verdict::Verdict;
use sluice_review::Judge;

use super::recent::Text;

/// With fewer posts, a share means nothing: one of ten is already ten points.
pub(super) const LEAST_POSTS: usize = 50;

/// Counts of the verdicts on some posts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shares {
    pub(super) posts: usize,
    pub(super) held: usize,
    pub(super) rejected: usize,
}

impl Shares {
    /// Lets these rules, and this scorer, review posts.
    pub(super) fn of(judge: &Judge, texts: &[Arc<Text>]) -> Self {
        let verdicts: Vec<_> = texts.iter().map(|text| judge.review_text(&text.title, &text.content).verdict).collect();
        let count = |wanted| verdicts.iter().filter(|verdict| **verdict == wanted).count();
        Self { posts: texts.len(), held: count(Verdict::Held), rejected: count(Verdict::Rejected) }
    }

    fn percent(self, part: usize) -> f64 {
        // Without posts there are no shares.
        100.0 * part as f64 / self.posts.max(1) as f64
    }
}

/// A share that would change too much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Jump {
    posts: usize,
    verdict: Verdict,
    before: f64,
    after: f64,
    limit: u32,
}

impl fmt::Display for Jump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { posts, verdict, before, after, limit } = self;
        write!(
            f,
            "of the last {posts} posts, {after:.1} % would be {verdict} instead of {before:.1} %: the change is more \
             than {limit} points (SLUICE_RELOAD_MAX_SHIFT); restart the worker to use it anyway"
        )
    }
}

/// The share that would change by more than `limit` percent points, up or down: a file that lost half of its rules is
/// as wrong as one that holds everything. If both shares would, the larger change.
pub(super) fn jump(before: Shares, after: Shares, limit: u32) -> Option<Jump> {
    if before.posts < LEAST_POSTS {
        return None;
    }
    let jump = |verdict, was: usize, is: usize| {
        let (before_share, after_share) = (before.percent(was), after.percent(is));
        Jump { posts: before.posts, verdict, before: before_share, after: after_share, limit }
    };
    let jumps =
        [jump(Verdict::Held, before.held, after.held), jump(Verdict::Rejected, before.rejected, after.rejected)];
    let height = |jump: &Jump| (jump.after - jump.before).abs();
    let greatest = jumps.into_iter().max_by(|one, other| height(one).total_cmp(&height(other)))?;
    (height(&greatest) > f64::from(limit)).then_some(greatest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shares(held: usize, rejected: usize) -> Shares {
        Shares { posts: 100, held, rejected }
    }

    #[test]
    fn a_share_may_change_by_the_limit_and_no_more() {
        assert_eq!(jump(shares(5, 5), shares(15, 5), 10), None);
        let jump = jump(shares(5, 5), shares(16, 5), 10).expect("eleven points");
        assert_eq!(jump.verdict, Verdict::Held);
        assert!(jump.to_string().starts_with("of the last 100 posts, 16.0 % would be held instead of 5.0 %"));
    }

    #[test]
    fn rules_that_let_everything_pass_are_a_jump_too() {
        assert_eq!(jump(shares(5, 30), shares(5, 0), 10).map(|jump| jump.verdict), Some(Verdict::Rejected));
    }

    #[test]
    fn the_greater_change_is_named() {
        assert_eq!(jump(shares(0, 0), shares(20, 60), 10).map(|jump| jump.verdict), Some(Verdict::Rejected));
        assert_eq!(jump(shares(0, 0), shares(60, 20), 10).map(|jump| jump.verdict), Some(Verdict::Held));
    }

    proptest! {
        #[test]
        fn few_posts_prove_nothing(posts in 0..LEAST_POSTS, held in 0usize..50) {
            let (before, after) = (Shares { posts, ..Shares::default() }, Shares { posts, held: held.min(posts), rejected: 0 });
            prop_assert_eq!(jump(before, after, 0), None);
        }

        #[test]
        fn rules_that_say_the_same_never_jump(held in 0usize..=50, rejected in 0usize..=50, limit in 0u32..=100) {
            prop_assert_eq!(jump(shares(held, rejected), shares(held, rejected), limit), None);
        }

        #[test]
        fn a_limit_of_a_hundred_points_refuses_nothing(a in 0usize..=100, b in 0usize..=100) {
            prop_assert_eq!(jump(shares(a, 100 - a), shares(b, 100 - b), 100), None);
        }
    }
}
