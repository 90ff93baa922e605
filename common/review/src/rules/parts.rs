//! The parts of a rule set, checked.

use regex::Regex;

/// A kind of harm, with the sums of weights from which a post is held or rejected.
#[derive(Debug, Clone)]
pub(crate) struct Category {
    pub(crate) name: String,
    pub(crate) hold: Option<u32>,
    pub(crate) reject: Option<u32>,
}

/// A list, a pattern, a link, a signal or a combination; reasons name it.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) id: String,
    /// Which of [`super::Rules::categories`].
    pub(crate) category: usize,
    pub(crate) weight: u32,
    /// It is reported, and decides nothing.
    pub(crate) shadow: bool,
}

/// A folded word or phrase.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    pub(crate) text: String,
    /// Which of [`super::Rules::rules`] it belongs to; `None`: it is an allowed phrase.
    pub(crate) rule: Option<usize>,
    pub(crate) words: bool,
}

/// A regular expression, for folded text.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    pub(crate) regex: Regex,
    pub(crate) rule: usize,
}

/// A rule that matches where others match together.
#[derive(Debug, Clone)]
pub(crate) struct Combination {
    pub(crate) rule: usize,
    pub(crate) all: Vec<usize>,
}
