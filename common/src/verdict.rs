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
}

/// The outcome of the review of one post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why; empty when nothing spoke against it.
    pub reasons: Vec<Reason>,
    /// Which rules spoke: name, `@` and the first twelve hexadecimal digits of their hash.
    pub ruleset: String,
}
