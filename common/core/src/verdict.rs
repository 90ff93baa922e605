//! What the review says of a post.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What becomes of a post. The strongest of all that spoke wins, in the order given here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// To be shown.
    Approved,
    /// To be looked at by a person first.
    Held,
    /// Not to be shown.
    Rejected,
}

impl Verdict {
    /// All of them, weakest first.
    pub const ALL: [Self; 3] = [Self::Approved, Self::Held, Self::Rejected];

    /// Its name in JSON and in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Held => "held",
            Self::Rejected => "rejected",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The rule of the reason that a post gets of which only a part was reviewed. Nothing but a person approves it.
pub const REVIEWED_IN_PART: &str = "reviewed_in_part";

/// One thing that spoke against a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The rule's id, as its file gives it.
    pub rule: String,
    /// The kind of harm: `spam`, `abuse`, …
    pub category: String,
    /// `title` or `content`.
    pub field: String,
    /// Where in the original text, in bytes: first and one past the last.
    pub span: [usize; 2],
    /// What stands there, cut to a readable length.
    pub text: String,
    /// What it was taken for: the rule's own term, or the name of a pattern or signal. Empty in rows of versions that
    /// did not say.
    #[serde(default)]
    pub matched: String,
    /// Which disguises were taken off to see it, such as `full width ×3` or `separator ×2`; empty when it stands there
    /// plainly.
    #[serde(default)]
    pub steps: Vec<String>,
}

/// How much spoke against a post in one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// The kind of harm.
    pub category: String,
    /// The sum of the weights found; never 0.
    pub sum: u32,
    /// From which sum on a post is held, if at all.
    pub hold: Option<u32>,
    /// From which sum on a post is rejected, if at all.
    pub reject: Option<u32>,
    /// Whether posts that this category holds are to be looked at first, and never rejected: somebody may need help.
    /// False in rows of versions that did not say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub urgent: bool,
}

impl Score {
    /// Whether this category holds the post, and is urgent.
    #[must_use]
    pub fn holds_urgently(&self) -> bool {
        self.urgent && self.hold.is_some_and(|hold| self.sum >= hold)
    }
}

/// The outcome of the review of one post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Review {
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why; empty when nothing spoke against it.
    pub reasons: Vec<Reason>,
    /// The categories that anything spoke in: an urgent one that holds the post, then the strongest, by the verdict
    /// they lead to and by sum.
    pub scores: Vec<Score>,
    /// What rules in shadow mode found. It decides nothing.
    pub shadow: Vec<Reason>,
    /// Which rules spoke: name, `@` and the first twelve hexadecimal digits of their hash.
    pub ruleset: String,
}
