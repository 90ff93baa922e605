//! A case: one question for a person about one post.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// Makes an enum that is spelled the same in JSON, in the database and at the command line.
macro_rules! spelled {
    ($(#[$about:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$of])* $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name in JSON, in the database and at the command line.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let names = || Self::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", ");
                let found = Self::ALL.iter().find(|one| one.as_str() == text);
                found.copied().ok_or_else(|| format!("`{}` is none of {}", text.escape_debug(), names()))
            }
        }
    };
}
pub(super) use spelled;

spelled! {
    /// What the person is asked.
    CaseKind {
        /// Whether to show a post that the review held.
        Held = "held",
        /// Whether a rejection stands that its author appealed against.
        Appeal = "appeal",
        /// Whether another person, who does not see the first decision, says the same: a blind second review.
        Second = "second",
    }
}

spelled! {
    /// Where a case stands. Whether somebody holds a claim on it is apart from this: a claim ends by the clock.
    CaseState {
        /// It waits for any moderator.
        Waiting = "waiting",
        /// It waits for a lead.
        Escalated = "escalated",
        /// It was decided.
        Decided = "decided",
        /// The forum said that the post is gone.
        Withdrawn = "withdrawn",
    }
}

spelled! {
    /// What a person may do.
    Role {
        /// Decides cases.
        Moderator = "moderator",
        /// Decides escalated cases too, and undoes decisions of others.
        Lead = "lead",
    }
}

impl CaseState {
    /// Whether it can still be decided.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Escalated)
    }
}

/// Who has claimed a case, and until when by the database's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// The token that the claimer made. Whoever shows it is the one who claimed.
    pub token: Uuid,
    /// The moderator.
    pub by: String,
    /// When it ends by itself, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub until: OffsetDateTime,
    /// Whether it had not ended yet when the database was asked.
    pub live: bool,
}

/// A case as it stands, as far as the guards need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// What is asked.
    pub kind: CaseKind,
    /// Where it stands.
    pub state: CaseState,
    /// The last claim that was not given back.
    pub claim: Option<Claim>,
    /// How often it was claimed.
    pub handed_out: u16,
    /// Who must not decide it: the one whose decision is appealed against, or reviewed a second time.
    pub not_by: Option<String>,
    /// The highest revision of the post's decisions, 0 where there is none.
    pub revision: u32,
    /// Whether the second opinion was given; of other kinds, never.
    pub has_opinion: bool,
}
