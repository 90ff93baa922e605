//! How often people reject what a rule spoke against.

use serde::Serialize;

use crate::interval::wilson;
use crate::verdict::Verdict;

/// The precision of a rule: of the posts that it spoke against and people decided, the share that they rejected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Precision {
    /// Of all such posts.
    pub all: RejectedShare,
    /// Of those that no other rule spoke against.
    pub alone: RejectedShare,
    /// Of those that others spoke against, too.
    pub with_others: RejectedShare,
}

/// How many of some posts people rejected. Shares are none where there are no posts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct RejectedShare {
    /// Posts.
    pub posts: u64,
    /// Of them those that people rejected.
    pub rejected: u64,
    /// Their share, from 0 to 1.
    pub share: Option<f64>,
    /// The share is at least this, by Wilson's interval of 95 %.
    pub low: Option<f64>,
    /// And at most this.
    pub high: Option<f64>,
}

impl Precision {
    /// Of these posts: whether the rule spoke alone against each, and what people said of it.
    #[must_use]
    pub fn of(posts: &[(bool, Verdict)]) -> Self {
        let of = |alone: &[bool]| RejectedShare::of(posts.iter().filter(|post| alone.contains(&post.0)));
        Self { all: of(&[true, false]), alone: of(&[true]), with_others: of(&[false]) }
    }
}

impl RejectedShare {
    fn of<'a>(decided: impl Iterator<Item = &'a (bool, Verdict)>) -> Self {
        let (mut posts, mut rejected) = (0, 0);
        for (_, verdict) in decided {
            posts += 1;
            rejected += u64::from(*verdict == Verdict::Rejected);
        }
        if posts == 0 {
            return Self::default();
        }
        let [low, high] = wilson(rejected, posts);
        Self { posts, rejected, share: Some(rejected as f64 / posts as f64), low: Some(low), high: Some(high) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Approved, Rejected};

    #[test]
    fn a_rule_is_told_apart_by_whether_it_spoke_alone() {
        let posts = [(true, Rejected), (true, Approved), (true, Approved), (false, Rejected), (false, Rejected)];
        let Precision { all, alone, with_others } = Precision::of(&posts);
        assert_eq!([all, alone, with_others].map(|share| (share.rejected, share.posts)), [(3, 5), (1, 3), (2, 2)]);
        assert_eq!((all.share, with_others.share), (Some(0.6), Some(1.0)));
        assert_eq!((alone.low, alone.high), (Some(wilson(1, 3)[0]), Some(wilson(1, 3)[1])));
        assert_eq!(Precision::of(&posts[..3]).with_others, RejectedShare::default());
    }
}
