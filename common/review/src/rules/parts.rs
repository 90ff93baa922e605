//! The parts of a rule set, checked.

use crate::ways::Way;

/// A kind of harm, with the sums of weights from which a post is held or rejected.
#[derive(Debug, Clone, Default)]
pub(crate) struct Category {
    pub(crate) name: String,
    pub(crate) hold: Option<u32>,
    pub(crate) reject: Option<u32>,
    /// The categories whose sums are added to this one's, once it has one.
    pub(crate) with: Vec<usize>,
    /// Its posts are held and never rejected, and are the first to be looked at.
    pub(crate) urgent: bool,
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

/// One of the ways in which a regular expression can match folded text.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    pub(crate) way: Way,
    /// Which of [`super::Rules::rules`] it belongs to; `None`: what it matches is allowed.
    pub(crate) rule: Option<usize>,
}

/// A rule that matches where others match together.
#[derive(Debug, Clone)]
pub(crate) struct Combination {
    pub(crate) rule: usize,
    pub(crate) all: Vec<usize>,
    /// One of these too, if there are any.
    pub(crate) any: Vec<usize>,
    /// How far the last of them may begin behind the first, in bytes of one field; `None`: anywhere in the post.
    pub(crate) within: Option<usize>,
}
