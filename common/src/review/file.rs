//! A rules file as it is written: the keys, and nothing but these keys. What they mean is for [`super::rules`].
//!
//! ```toml
//! extend = "builtin"              # keep the rules that come with the program; left out: begin with nothing
//! name = "our-site"               # stands in every review's `ruleset`; left out: the file's name
//!
//! [categories.spam]               # what the weights of its hits must add up to
//! hold = 50
//! reject = 100
//!
//! [[list]]                        # terms: words and phrases
//! id = "our-ads"                  # stands in every reason
//! category = "spam"
//! weight = 30                     # 1 to 100, for each different term that is found
//! words = true                    # a term that begins or ends with a letter must do so at a word's edge (default)
//! terms = ["cheap watches", "代购名表"]
//!
//! [[pattern]]                     # regular expressions, on folded text
//! id = "our-numbers"
//! category = "spam"
//! weight = 40
//! regex = 'call 0800-\d{6}'
//!
//! [[allow]]                       # a hit that lies inside one of these is no hit
//! phrases = ["watches over cheap watches"]
//!
//! [[test]]                        # a file whose tests do not hold is refused
//! text = "Cheap watches, call 0800-123456"
//! expect = "held"
//! ```
//!
//! Unknown keys are refused: a mistyped `wieght` that is passed over would be a rule that silently does not count.
//! Values are kept with their place in the file wherever their meaning is checked later.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::verdict::Verdict;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RulesFile {
    pub(super) extend: Option<Base>,
    pub(super) name: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) categories: BTreeMap<Spanned<String>, Thresholds>,
    #[serde(default)]
    pub(super) list: Vec<List>,
    #[serde(default)]
    pub(super) pattern: Vec<Pattern>,
    #[serde(default)]
    pub(super) allow: Vec<Allow>,
    #[serde(default)]
    pub(super) test: Vec<Case>,
}

/// What a file builds on.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Base {
    Builtin,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Thresholds {
    pub(super) hold: Option<Spanned<i64>>,
    pub(super) reject: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    pub(super) id: Spanned<String>,
    pub(super) category: Spanned<String>,
    pub(super) weight: Spanned<i64>,
    #[serde(default = "word_edges")]
    pub(super) words: bool,
    pub(super) terms: Spanned<Vec<Spanned<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pattern {
    pub(super) id: Spanned<String>,
    pub(super) category: Spanned<String>,
    pub(super) weight: Spanned<i64>,
    pub(super) regex: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Allow {
    #[serde(default = "word_edges")]
    pub(super) words: bool,
    pub(super) phrases: Spanned<Vec<Spanned<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    #[serde(default)]
    pub(super) title: String,
    pub(super) text: Spanned<String>,
    pub(super) expect: Verdict,
}

fn word_edges() -> bool {
    true
}
