//! What follows for a post from its near copies.
//!
//! | the review says | and enough near copies were there | verdict |
//! |---|---|---|
//! | approved | held | with the reason first |
//! | held | held | with the reason last |
//! | held as urgent, rejected | as it was | without the reason |

use std::time::Duration;

use sluice_core::verdict::{Reason, Review, Score, Verdict};

use super::window::{ENOUGH, Near};

/// The rule of the reason.
pub const NEAR_COPIES: &str = "near_copies";
/// The category of the reason, and so the queue of posts that nothing else holds.
const CATEGORY: &str = "repetition";

/// The review, with what comes of so many near copies where a post is held from the `from`-th on.
#[must_use]
pub fn held(mut review: Review, near: &Near, from: usize) -> Review {
    let urgent = review.scores.iter().any(Score::holds_urgently);
    if near.posts < from || urgent || review.verdict == Verdict::Rejected {
        return review;
    }
    let reason = Reason {
        rule: NEAR_COPIES.to_owned(),
        category: CATEGORY.to_owned(),
        field: "post".to_owned(),
        span: [0, 0],
        text: told(near),
        matched: String::new(),
        steps: Vec::new(),
    };
    let [sum, hold] = [near.posts, from].map(|posts| u32::try_from(posts).unwrap_or(u32::MAX));
    let score = Score { category: CATEGORY.to_owned(), sum, hold: Some(hold), reject: None, urgent: false };
    // Before what holds nothing, behind what holds the post without it.
    let holds = |score: &Score| score.hold.is_some_and(|hold| score.sum >= hold);
    let behind = review.scores.iter().take_while(|score| holds(score)).count();
    let at = if review.verdict == Verdict::Approved { 0 } else { review.reasons.len() };
    review.scores.insert(behind, score);
    review.reasons.insert(at, reason);
    review.verdict = Verdict::Held;
    review
}

/// `12 posts by 11 authors within 4 minutes`.
fn told(near: &Near) -> String {
    let posts = match near.posts {
        ENOUGH.. => format!("{ENOUGH} posts or more"),
        posts => format!("{posts} posts"),
    };
    let authors = match near.authors {
        0 => String::new(),
        1 => " by 1 author".to_owned(),
        authors => format!(" by {authors} authors"),
    };
    format!("{posts}{authors} within {}", lasting(near.since))
}

/// A time in whole seconds, minutes or hours, rounded up.
fn lasting(time: Duration) -> String {
    let seconds = time.as_secs().max(1) + u64::from(time.subsec_nanos() > 0 && time.as_secs() > 0);
    let (number, unit) = match seconds {
        ..=99 => (seconds, "second"),
        100..=5999 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3600), "hour"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RuleSet;
    use Verdict::{Approved, Held, Rejected};

    const RULES: &str = "[categories.spam]\nhold = 50\nreject = 100\n\
                         [categories.help]\nhold = 50\nurgent = true\n\
                         [[list]]\nid = \"a\"\ncategory = \"help\"\nweight = 50\nterms = [\"no way out\"]\n\
                         [[list]]\nid = \"b\"\ncategory = \"spam\"\nweight = 20\nterms = [\"cheap\"]\n\
                         [[list]]\nid = \"c\"\ncategory = \"spam\"\nweight = 60\nterms = [\"casino\"]\n\
                         [[list]]\nid = \"d\"\ncategory = \"spam\"\nweight = 100\nterms = [\"fraud\"]\n";

    fn review(text: &str) -> Review {
        RuleSet::parse(RULES, "r.toml").expect("valid rules").review_text("", text)
    }

    fn near(posts: usize) -> Near {
        Near { posts, authors: 3, since: Duration::from_secs(61) }
    }

    #[test]
    fn a_post_is_held_from_the_number_on_that_is_set_and_says_why() {
        assert_eq!(held(review("fine"), &near(9), 10), review("fine"));
        let post = held(review("cheap"), &near(10), 10);
        assert_eq!(post.verdict, Held);
        let [Reason { rule, category, text, .. }, rules] = &post.reasons[..] else { panic!("{:?}", post.reasons) };
        assert_eq!([rule, category, text], ["near_copies", "repetition", "10 posts by 3 authors within 61 seconds"]);
        assert_eq!(rules.rule, "b");
        // Its queue is this category's, although another one has a sum.
        let score = &post.scores[0];
        assert_eq!((score.category.as_str(), score.sum, score.hold, score.reject), ("repetition", 10, Some(10), None));
        assert_eq!(post.scores[1].category, "spam");
    }

    #[test]
    fn what_is_held_without_it_stays_in_its_queue_and_has_the_reason_too() {
        let post = held(review("casino"), &near(10), 10);
        let categories: Vec<_> = post.scores.iter().map(|score| score.category.as_str()).collect();
        assert_eq!((post.verdict, categories), (Held, vec!["spam", "repetition"]));
        assert_eq!(post.reasons.last().map(|reason| reason.rule.as_str()), Some("near_copies"));
    }

    #[test]
    fn no_verdict_becomes_weaker_and_an_urgent_post_is_left_alone() {
        for (text, verdict) in [("", Approved), ("casino", Held), ("fraud", Rejected), ("no way out", Held)] {
            assert_eq!(review(text).verdict, verdict, "{text}");
            let after = held(review(text), &near(ENOUGH), 2);
            assert_eq!(after.verdict, verdict.max(Held), "{text}");
            let touched = after != review(text);
            assert_eq!(touched, matches!(text, "" | "casino"), "{text}");
        }
    }

    #[test]
    fn the_reason_tells_how_many_by_whom_and_in_how_long() {
        let told = |posts, authors, seconds| told(&Near { posts, authors, since: Duration::from_secs_f64(seconds) });
        assert_eq!(told(10, 0, 0.0), "10 posts within 1 second");
        assert_eq!(told(10, 1, 1.5), "10 posts by 1 author within 2 seconds");
        assert_eq!(told(99, 98, 100.0), "99 posts by 98 authors within 2 minutes");
        assert_eq!(told(ENOUGH, 40, 6000.0), "100 posts or more by 40 authors within 2 hours");
    }
}
