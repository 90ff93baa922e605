//! What goes over the wire: the shape of OpenAI's moderation endpoint, as far as a verdict needs it.
//!
//! ```text
//!  POST {"input": "title\n\ncontent", "model": "…"}
//!  200  {"model": "…", "results": [{"flagged": true, "categories": {"hate": true}, "category_scores": {"hate": 0.93}}]}
//! ```
//!
//! What is not understood is refused, not guessed at: a score beyond 1 would reach any threshold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::ReviewerError;
use sluice_core::json;

/// The most charges that are kept of one answer: the strongest. A row is read by a person.
const CHARGES_MAX: usize = 5;
/// The longest name of a category that is kept, in characters.
const CATEGORY_MAX_CHARS: usize = 64;

/// What is asked.
#[derive(Debug, Serialize)]
pub(super) struct Question<'a> {
    pub(super) input: &'a str,
    pub(super) model: &'a str,
}

/// What the reviewer thinks of a post.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// Which model says so.
    pub model: String,
    /// What it holds against the post, strongest first; empty when it does not flag it.
    pub charges: Vec<Charge>,
}

/// One thing that it holds against a post.
#[derive(Debug, Clone, PartialEq)]
pub struct Charge {
    /// The reviewer's own category, such as `harassment/threatening`.
    pub category: String,
    /// How sure it is, 0 to 1; 1 where it gives no score.
    pub score: f64,
}

#[derive(Debug, Deserialize)]
struct Answer {
    model: String,
    results: Vec<Judgement>,
}

#[derive(Debug, Deserialize)]
struct Judgement {
    flagged: bool,
    #[serde(default)]
    categories: BTreeMap<String, bool>,
    #[serde(default)]
    category_scores: BTreeMap<String, f64>,
}

/// Reads an answer.
///
/// # Errors
/// [`ReviewerError::Malformed`] and [`ReviewerError::WrongModel`].
pub(super) fn read(body: &[u8], wanted: &str) -> Result<Opinion, ReviewerError> {
    let malformed = |problem: String| ReviewerError::Malformed(problem);
    // It may repeat what it was asked about, which goes into no log line.
    let answer: Answer = serde_json::from_slice(body).map_err(|error| malformed(json::told(&error)))?;
    if answer.model != wanted {
        let found = shortened(&answer.model);
        return Err(ReviewerError::WrongModel { wanted: wanted.to_owned(), found });
    }
    let [judgement] = <[Judgement; 1]>::try_from(answer.results)
        .map_err(|results| malformed(format!("{} results for one input", results.len())))?;
    if let Some((category, score)) = judgement.category_scores.iter().find(|(_, score)| !(0.0..=1.0).contains(*score)) {
        return Err(malformed(format!("the score {score} of {:?} is not from 0 to 1", shortened(category))));
    }
    Ok(Opinion { model: answer.model, charges: if judgement.flagged { judgement.charges() } else { Vec::new() } })
}

impl Judgement {
    /// The categories it says yes to; where it names none, the one with the highest score; where there is none, one
    /// that says only that it was flagged.
    fn charges(self) -> Vec<Charge> {
        let score = |category: &str| self.category_scores.get(category).copied().unwrap_or(1.0);
        let named = self.categories.iter().filter(|(_, charged)| **charged).map(|(category, _)| category);
        let mut charges: Vec<_> = named.map(|c| Charge { category: shortened(c), score: score(c) }).collect();
        if charges.is_empty() {
            let highest = self.category_scores.iter().max_by(|(_, one), (_, other)| one.total_cmp(other));
            let (category, score) = highest.map_or(("flagged", 1.0), |(category, score)| (category.as_str(), *score));
            charges.push(Charge { category: shortened(category), score });
        }
        charges.sort_by(|one, other| other.score.total_cmp(&one.score));
        charges.truncate(CHARGES_MAX);
        charges
    }
}

/// A stranger's name for something, at a length that fits a row.
fn shortened(name: &str) -> String {
    name.chars().take(CATEGORY_MAX_CHARS).map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(results: &str) -> Result<Opinion, ReviewerError> {
        read(format!(r#"{{"id":"x","model":"m-1","results":{results}}}"#).as_bytes(), "m-1")
    }

    fn charges(results: &str) -> Vec<(String, f64)> {
        let opinion = answer(results).expect("a valid answer");
        opinion.charges.into_iter().map(|charge| (charge.category, charge.score)).collect()
    }

    #[test]
    fn what_is_flagged_is_charged_by_the_categories_that_say_yes_strongest_first() {
        let results = r#"[{"flagged":true,"categories":{"hate":true,"self-harm":true,"violence":false},
                          "category_scores":{"hate":0.5,"self-harm":0.75,"violence":0.9}}]"#;
        assert_eq!(charges(results), [("self-harm".to_owned(), 0.75), ("hate".to_owned(), 0.5)]);
    }

    #[test]
    fn a_flag_without_a_category_is_a_charge_all_the_same() {
        assert_eq!(charges(r#"[{"flagged":true}]"#), [("flagged".to_owned(), 1.0)]);
        let scored = r#"[{"flagged":true,"categories":{},"category_scores":{"a":0.2,"b":0.4}}]"#;
        assert_eq!(charges(scored), [("b".to_owned(), 0.4)]);
    }

    #[test]
    fn what_is_not_flagged_is_not_charged_whatever_its_scores() {
        assert_eq!(charges(r#"[{"flagged":false,"categories":{"hate":false},"category_scores":{"hate":0.4}}]"#), []);
    }

    #[test]
    fn another_model_is_refused_by_name() {
        let error = read(br#"{"model":"m-2","results":[{"flagged":false}]}"#, "m-1").expect_err("it is another");
        assert_eq!(error, ReviewerError::WrongModel { wanted: "m-1".to_owned(), found: "m-2".to_owned() });
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for wrong in [
            "",
            "null",
            "[]",
            "[{}]",
            r#"[{"flagged":"no"}]"#,
            r#"[{"flagged":false},{"flagged":true}]"#,
            r#"[{"flagged":true,"category_scores":{"hate":93}}]"#,
            r#"[{"flagged":true,"category_scores":{"hate":-0.1}}]"#,
        ] {
            assert!(matches!(answer(wrong), Err(ReviewerError::Malformed(_))), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_opinion_or_a_trouble(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(read(&body, "m-1").is_err(), "no such bytes are an answer");
        }

        #[test]
        fn a_flag_is_never_without_a_charge(charged in any::<bool>(), score in 0.0..=1.0f64, name in "[ -~]{0,80}") {
            let body = serde_json::json!({"model": "m-1", "results": [
                {"flagged": true, "categories": {&name: charged}, "category_scores": {&name: score}}
            ]});
            let opinion = read(body.to_string().as_bytes(), "m-1").expect("a valid answer");
            prop_assert!(!opinion.charges.is_empty());
            prop_assert!(opinion.charges.iter().all(|charge| charge.category.chars().count() <= CATEGORY_MAX_CHARS));
        }
    }
}
