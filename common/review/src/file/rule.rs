//! The parts of a rules file as they are written: categories, rules, and what is left out.

use serde::Deserialize;
use sluice_core::verdict::Verdict;
use toml::Spanned;

use crate::signal::Kind;

/// What a file builds on.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Base {
    Builtin,
}

/// Whether a rule decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    #[default]
    Live,
    /// It is only told of.
    Shadow,
}

/// A number that may be written `50` or `50.0`: programs that write rules files do either.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(crate) enum Number {
    Integer(i64),
    Float(f64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Thresholds {
    pub(crate) hold: Option<Spanned<Number>>,
    pub(crate) reject: Option<Spanned<Number>>,
    /// Other categories, whose sums are added to this one's.
    pub(crate) with: Option<Vec<Spanned<String>>>,
    pub(crate) urgent: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    pub(crate) id: Spanned<String>,
    pub(crate) category: Spanned<String>,
    pub(crate) weight: Option<Spanned<Number>>,
    #[serde(default)]
    pub(crate) mode: Mode,
    #[serde(default = "word_edges")]
    pub(crate) words: bool,
    pub(crate) terms: Option<Spanned<Vec<Spanned<String>>>>,
    pub(crate) file: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pattern {
    pub(crate) id: Spanned<String>,
    pub(crate) category: Spanned<String>,
    pub(crate) weight: Option<Spanned<Number>>,
    #[serde(default)]
    pub(crate) mode: Mode,
    pub(crate) regex: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Link {
    pub(crate) id: Spanned<String>,
    pub(crate) category: Spanned<String>,
    pub(crate) weight: Option<Spanned<Number>>,
    #[serde(default)]
    pub(crate) mode: Mode,
    pub(crate) hosts: Option<Vec<Spanned<String>>>,
    pub(crate) host_is: Option<HostIs>,
    pub(crate) imitates: Option<Vec<Spanned<String>>>,
    pub(crate) more_than: Option<usize>,
    pub(crate) denser_than: Option<usize>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HostIs {
    Address,
    MixedScript,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signal {
    pub(crate) id: Spanned<String>,
    pub(crate) category: Spanned<String>,
    pub(crate) weight: Option<Spanned<Number>>,
    #[serde(default)]
    pub(crate) mode: Mode,
    pub(crate) is: Kind,
    pub(crate) from: Spanned<Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Combination {
    pub(crate) id: Spanned<String>,
    pub(crate) category: Spanned<String>,
    pub(crate) weight: Option<Spanned<Number>>,
    #[serde(default)]
    pub(crate) mode: Mode,
    pub(crate) all: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(crate) any: Vec<Spanned<String>>,
    pub(crate) within: Option<Spanned<Number>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Allow {
    #[serde(default = "word_edges")]
    pub(crate) words: bool,
    pub(crate) phrases: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    pub(crate) patterns: Vec<Spanned<String>>,
    pub(crate) hosts: Option<Vec<Spanned<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    #[serde(default)]
    pub(crate) title: String,
    pub(crate) text: Spanned<String>,
    pub(crate) expect: Verdict,
}

fn word_edges() -> bool {
    true
}
