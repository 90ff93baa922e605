//! What a token may be used for.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// One right of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// Read what stands for posts, and the feed of decisions
    Read,
    /// Hand in appeals of authors, and read what became of them
    Appeal,
    /// Say that posts are gone
    Write,
    /// Claim and decide cases, in the name of whom the client says
    Moderate,
}

impl Scope {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Read, Self::Appeal, Self::Write, Self::Moderate];

    /// Its name in the file, in the document of the API and at the command line.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Appeal => "appeal",
            Self::Write => "write",
            Self::Moderate => "moderate",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
