//! What follows for a post from what the outside reviewer said, or from its silence. Pure.
//!
//! | the rules say | the reviewer says | verdict |
//! |---|---|---|
//! | approved or held | flagged | held; rejected where a charge reaches the score that is set for it |
//! | held | not flagged | held; approved where the reviewer may release, unless only a part of it was reviewed |
//! | held as urgent | anything | held |
//! | approved | not flagged | approved |
//! | approved or held | nothing that can be used | held |
//!
//! Each adds reasons, so that the row tells that the reviewer was asked, and what came of it.

use super::error::ReviewerError;
use super::wire::{Charge, Opinion};
use sluice_core::verdict::{REVIEWED_IN_PART, Reason, Review, Score, Verdict};

/// The rule of a reason that the reviewer gave.
const FLAGGED: &str = "reviewer_flagged";
/// The rule of a reason that says it had nothing against the post.
const CLEARED: &str = "reviewer_cleared";
/// The category of reasons that are about the reviewer, not about the post.
const CATEGORY: &str = "reviewer";
/// The field of reasons that are about the post as a whole.
const WHOLE: &str = "post";

/// What the reviewer may do beside holding a post.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// From which score on a charge rejects the post; none: never.
    pub reject: Option<f64>,
    /// Whether a post that the rules hold is approved when the reviewer does not flag it.
    pub release: bool,
}

impl Policy {
    /// The review, with what came of asking.
    #[must_use]
    pub fn merged(self, mut review: Review, answer: &Result<Opinion, ReviewerError>) -> Review {
        match answer {
            Ok(opinion) if opinion.charges.is_empty() => {
                let urgent = review.scores.iter().any(Score::holds_urgently);
                let in_part = review.reasons.iter().any(|reason| reason.rule == REVIEWED_IN_PART);
                if self.release && review.verdict == Verdict::Held && !in_part && !urgent {
                    review.verdict = Verdict::Approved;
                }
                review.reasons.push(reason(CLEARED, CATEGORY, "not flagged".to_owned(), &opinion.model));
            }
            Ok(opinion) => {
                let rejects = |charge: &Charge| self.reject.is_some_and(|score| charge.score >= score);
                let urgent = review.scores.iter().any(Score::holds_urgently);
                let theirs = match opinion.charges.iter().any(rejects) && !urgent {
                    true => Verdict::Rejected,
                    false => Verdict::Held,
                };
                review.verdict = review.verdict.max(theirs);
                let charges = opinion.charges.iter();
                let charges = charges.map(|Charge { category, score }| {
                    reason(FLAGGED, category, format!("score {score:.3}"), &opinion.model)
                });
                review.reasons.splice(0..0, charges);
            }
            Err(error) => {
                review.verdict = review.verdict.max(Verdict::Held);
                review.reasons.insert(0, reason(&error.code(), CATEGORY, error.to_string(), ""));
            }
        }
        review
    }
}

/// A reason that stands at no place in the text. `text` is the reviewer's, `matched` its model.
fn reason(rule: &str, category: &str, text: String, model: &str) -> Reason {
    Reason {
        rule: rule.to_owned(),
        category: category.to_owned(),
        field: WHOLE.to_owned(),
        span: [0, 0],
        text,
        matched: model.to_owned(),
        steps: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RuleSet;
    use Verdict::{Approved, Held, Rejected};

    const STRICT: Policy = Policy { reject: None, release: false };

    fn rules(verdict: Verdict) -> Review {
        Review {
            verdict,
            ..RuleSet::parse("[categories.spam]\nhold = 50\n", "r.toml").expect("valid rules").review_text("", "")
        }
    }

    fn flagged(score: f64) -> Result<Opinion, ReviewerError> {
        let charges = vec![Charge { category: "hate".to_owned(), score }];
        Ok(Opinion { model: "m-1".to_owned(), charges })
    }

    fn cleared() -> Result<Opinion, ReviewerError> {
        Ok(Opinion { model: "m-1".to_owned(), charges: Vec::new() })
    }

    fn verdicts(policy: Policy, answer: &Result<Opinion, ReviewerError>) -> [Verdict; 3] {
        Verdict::ALL.map(|verdict| policy.merged(rules(verdict), answer).verdict)
    }

    #[test]
    fn a_flag_holds_and_rejects_only_from_the_score_that_is_set() {
        assert_eq!(verdicts(STRICT, &flagged(1.0)), [Held, Held, Rejected]);
        let rejecting = Policy { reject: Some(0.9), ..STRICT };
        assert_eq!(verdicts(rejecting, &flagged(0.89)), [Held, Held, Rejected]);
        assert_eq!(verdicts(rejecting, &flagged(0.9)), [Rejected; 3]);
    }

    #[test]
    fn what_the_rules_hold_is_released_only_where_that_is_set() {
        assert_eq!(verdicts(STRICT, &cleared()), [Approved, Held, Rejected]);
        assert_eq!(verdicts(Policy { release: true, ..STRICT }, &cleared()), [Approved, Approved, Rejected]);
    }

    #[test]
    fn what_the_rules_read_only_a_part_of_is_not_released() {
        let releasing = Policy { release: true, ..STRICT };
        let valid = RuleSet::parse("[categories.spam]\nhold = 50\n", "r.toml").expect("valid rules");
        let long = valid.review_text("", &"x".repeat(4 * sluice_core::post::CONTENT_MAX_CHARS + 1));
        assert_eq!(long.verdict, Held);
        assert_eq!(releasing.merged(long, &cleared()).verdict, Held);
    }

    #[test]
    fn whoever_may_need_help_is_neither_released_nor_rejected() {
        let rules = "[categories.help]\nhold = 50\nurgent = true\n\
                     [[list]]\nid = \"a\"\ncategory = \"help\"\nterms = [\"no way out\"]\n";
        let held = RuleSet::parse(rules, "r.toml").expect("valid rules").review_text("", "I see no way out");
        let all = Policy { reject: Some(0.0), release: true };
        for answer in [flagged(1.0), cleared()] {
            assert_eq!(all.merged(held.clone(), &answer).verdict, Held);
        }
    }

    #[test]
    fn no_trouble_ever_approves_a_post_or_makes_a_verdict_weaker() {
        let troubles = [
            ReviewerError::Timeout(std::time::Duration::ZERO),
            ReviewerError::Unreachable(String::new()),
            ReviewerError::Status(500),
            ReviewerError::Malformed(String::new()),
            ReviewerError::WrongModel { wanted: "a".to_owned(), found: "b".to_owned() },
            ReviewerError::Busy(std::time::Duration::ZERO),
            ReviewerError::CircuitOpen,
        ];
        for (error, policy) in
            troubles.into_iter().flat_map(|t| [(t.clone(), STRICT), (t, Policy { reject: Some(0.0), release: true })])
        {
            let code = error.code();
            assert_eq!(verdicts(policy, &Err(error.clone())), [Held, Held, Rejected], "{code}");
            let review = policy.merged(rules(Approved), &Err(error));
            assert_eq!(review.reasons[0].rule, code);
        }
    }

    #[test]
    fn the_reasons_name_category_score_and_model() {
        let review = STRICT.merged(rules(Approved), &flagged(0.93));
        let Reason { rule, category, text, matched, .. } = &review.reasons[0];
        assert_eq!([rule, category, text, matched], ["reviewer_flagged", "hate", "score 0.930", "m-1"]);
        let review = STRICT.merged(rules(Held), &cleared());
        assert_eq!((review.reasons[0].rule.as_str(), review.reasons[0].matched.as_str()), ("reviewer_cleared", "m-1"));
    }
}
