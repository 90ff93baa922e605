//! A rules file as it is written: the keys, and nothing but these keys. What they mean is for [`super::rules`], and for
//! people in docs/RULES.md.
//!
//! Unknown keys are refused: a mistyped `wieght` that is passed over would be a rule that silently does not count.
//! Values are kept with their place in the file wherever their meaning is checked later.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::signal::Kind;
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
    pub(super) link: Vec<Link>,
    #[serde(default)]
    pub(super) signal: Vec<Signal>,
    #[serde(default)]
    pub(super) combination: Vec<Combination>,
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

/// Whether a rule decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    #[default]
    Live,
    /// It is only told of.
    Shadow,
}

/// A number that may be written `50` or `50.0`: programs that write rules files do either.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(super) enum Number {
    Integer(i64),
    Float(f64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Thresholds {
    pub(super) hold: Option<Spanned<Number>>,
    pub(super) reject: Option<Spanned<Number>>,
    /// Other categories, whose sums are added to this one's.
    pub(super) with: Option<Vec<Spanned<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    pub(super) id: Spanned<String>,
    pub(super) category: Spanned<String>,
    pub(super) weight: Option<Spanned<Number>>,
    #[serde(default)]
    pub(super) mode: Mode,
    #[serde(default = "word_edges")]
    pub(super) words: bool,
    pub(super) terms: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) file: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pattern {
    pub(super) id: Spanned<String>,
    pub(super) category: Spanned<String>,
    pub(super) weight: Option<Spanned<Number>>,
    #[serde(default)]
    pub(super) mode: Mode,
    pub(super) regex: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    pub(super) id: Spanned<String>,
    pub(super) category: Spanned<String>,
    pub(super) weight: Option<Spanned<Number>>,
    #[serde(default)]
    pub(super) mode: Mode,
    pub(super) hosts: Option<Vec<Spanned<String>>>,
    pub(super) host_is: Option<HostIs>,
    pub(super) imitates: Option<Vec<Spanned<String>>>,
    pub(super) more_than: Option<usize>,
    pub(super) denser_than: Option<usize>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum HostIs {
    Address,
    MixedScript,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Signal {
    pub(super) id: Spanned<String>,
    pub(super) category: Spanned<String>,
    pub(super) weight: Option<Spanned<Number>>,
    #[serde(default)]
    pub(super) mode: Mode,
    pub(super) is: Kind,
    pub(super) from: Spanned<Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Combination {
    pub(super) id: Spanned<String>,
    pub(super) category: Spanned<String>,
    pub(super) weight: Option<Spanned<Number>>,
    #[serde(default)]
    pub(super) mode: Mode,
    pub(super) all: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) any: Vec<Spanned<String>>,
    pub(super) within: Option<Spanned<Number>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Allow {
    #[serde(default = "word_edges")]
    pub(super) words: bool,
    pub(super) phrases: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    pub(super) patterns: Vec<Spanned<String>>,
    pub(super) hosts: Option<Vec<Spanned<String>>>,
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
