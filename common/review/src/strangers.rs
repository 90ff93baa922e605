//! Authors whom nobody knows are read more strictly: what nearly holds the post of anybody holds theirs. Pure.
//!
//! Whoever floods a forum has an account that is new, or none. So a sum that reaches most of a category's threshold is
//! enough to show a stranger's post to a person. It never rejects one.

use std::cmp::Reverse;

use sluice_core::standing::Standing;
use sluice_core::verdict::{Reason, Review, Score, Verdict};

/// The rule of the reason.
pub const STRANGER: &str = "stranger";

/// Whether this review would hold the post of a stranger, of whom this share of a threshold is enough, in percent.
#[must_use]
pub fn nearly_held(review: &Review, percent: u32) -> bool {
    review.verdict == Verdict::Approved && review.scores.iter().any(|score| reaches(score, percent))
}

/// The review of a stranger's post: held where it is nearly held. `author` is how he stands; none, where the post has no
/// author.
#[must_use]
pub fn held(mut review: Review, percent: u32, author: Option<&Standing>) -> Review {
    if !nearly_held(&review, percent) {
        return review;
    }
    // What holds the post comes first: it names the queue.
    review.scores.sort_by_key(|score| Reverse(reaches(score, percent)));
    for score in review.scores.iter_mut().filter(|score| reaches(score, percent)) {
        score.hold = score.hold.map(|hold| share(hold, percent));
    }
    let category = review.scores.first().map(|score| score.category.clone()).unwrap_or_default();
    let reason = Reason {
        rule: STRANGER.to_owned(),
        category,
        field: "post".to_owned(),
        span: [0, 0],
        text: author.map_or_else(|| "a post without an author".to_owned(), |author| format!("an author {author}")),
        matched: format!("held from {percent} % of a threshold on"),
        steps: Vec::new(),
    };
    review.reasons.push(reason);
    review.verdict = Verdict::Held;
    review
}

fn reaches(score: &Score, percent: u32) -> bool {
    score.hold.is_some_and(|hold| score.sum >= share(hold, percent))
}

/// This share of a threshold, rounded up: at least 1.
fn share(threshold: u32, percent: u32) -> u32 {
    (threshold.saturating_mul(percent)).div_ceil(100).max(1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::RuleSet;
    use Verdict::{Approved, Held, Rejected};

    const RULES: &str = "[categories.spam]\nhold = 50\nreject = 100\n[categories.rude]\nhold = 60\n\
                         [[list]]\nid = \"a\"\ncategory = \"spam\"\nweight = 39\nterms = [\"cheap\"]\n\
                         [[list]]\nid = \"b\"\ncategory = \"spam\"\nweight = 40\nterms = [\"bargain\"]\n\
                         [[list]]\nid = \"c\"\ncategory = \"spam\"\nweight = 50\nterms = [\"casino\"]\n\
                         [[list]]\nid = \"d\"\ncategory = \"spam\"\nweight = 100\nterms = [\"fraud\"]\n\
                         [[list]]\nid = \"e\"\ncategory = \"rude\"\nweight = 47\nterms = [\"bother\"]\n";

    fn review(text: &str) -> Review {
        RuleSet::parse(RULES, "r.toml").expect("valid rules").review_text("", text)
    }

    #[test]
    fn what_reaches_the_share_of_a_threshold_holds_and_nothing_else_changes() {
        for (text, before, after) in [
            ("fine", Approved, Approved),
            ("cheap", Approved, Approved),
            ("bargain", Approved, Held),
            ("casino", Held, Held),
            ("fraud", Rejected, Rejected),
        ] {
            let read = held(review(text), 80, None);
            assert_eq!((review(text).verdict, read.verdict), (before, after), "{text}");
            assert_eq!(read != review(text), before != after, "{text}");
            assert_eq!(nearly_held(&review(text), 80), before != after, "{text}");
        }
        assert_eq!(held(review("cheap"), 78, None).verdict, Held);
    }

    #[test]
    fn it_says_who_the_author_is_and_from_which_sum_on_the_post_is_held() {
        let author = Standing { known_for: Some(Duration::from_secs(180)), approved: 0, rejected: 1 };
        // The larger sum is not the one that holds.
        let read = held(review("a bargain, no bother"), 80, Some(&author));
        let scores: Vec<_> = read.scores.iter().map(|score| (score.category.as_str(), score.sum, score.hold)).collect();
        assert_eq!(scores, [("spam", 40, Some(40)), ("rude", 47, Some(60))]);
        let reason = read.reasons.last().expect("a reason");
        assert_eq!([&reason.rule, &reason.category], ["stranger", "spam"]);
        assert_eq!(reason.text, "an author first seen 3 minutes ago, people approved 0 and rejected 1");
        assert_eq!(reason.matched, "held from 80 % of a threshold on");
        let nobody = held(review("bargain"), 80, None);
        assert_eq!(nobody.reasons.last().expect("a reason").text, "a post without an author");
    }
}
