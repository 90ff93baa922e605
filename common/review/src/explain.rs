//! Why a text got its verdict, in full: also what was found and then not counted. For the person who tunes the rules.

use serde::Serialize;

use crate::Points;
use sluice_core::verdict::{Reason, Review};

/// Everything that the rules found in a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What was found, in the order of the text, title first; each place of each rule.
    pub findings: Vec<Finding>,
    /// What follows from those that count.
    pub review: Review,
    /// The language or script of the text, if there is no list for it.
    pub unlisted: Option<String>,
    /// What the scorer says of it, if there is one.
    pub scorer: Option<Points>,
}

/// One place that a rule found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule and the place. The text is not cut.
    pub reason: Reason,
    /// What it adds to its category, if it counts.
    pub weight: u32,
    /// Why it does not count, in words; `None`: it does.
    pub dropped: Option<String>,
}
