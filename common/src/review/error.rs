//! What is wrong with a rules file, and where: a moderator mends it by line and column, not by guessing.

use std::fmt;
use std::io;
use std::ops::Range;

use crate::verdict::Verdict;

/// Why a rules file was refused. A refused file changes nothing: the caller keeps the rules it has.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The file could not be read at all.
    #[error("cannot read the rules file {path}: {source}")]
    Unreadable {
        /// The file, as it was named.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// Not TOML, or not the keys and types of a rules file. The message is the reader's own and says both what it
    /// found and what it expected.
    #[error("{place}: {message}")]
    Malformed {
        /// Where.
        place: Place,
        /// What was found and what was expected.
        message: String,
    },
    /// Well written, but it cannot mean anything.
    #[error("{place}: found {found}; expected {expected}")]
    Invalid {
        /// Where.
        place: Place,
        /// What stands there.
        found: String,
        /// What could stand there instead.
        expected: String,
    },
    /// A test that the file carries does not hold.
    #[error("{place}: this test expects {expected}, but the rules say {found}")]
    TestFailed {
        /// Where the test's text stands.
        place: Place,
        /// The verdict it should get.
        expected: Verdict,
        /// The verdict it got, and why.
        found: String,
    },
    /// Every rule is in order, but all of them together need more memory than a rule set is given.
    #[error("{origin}: too many rules for one rule set: {message}")]
    TooLarge {
        /// The file.
        origin: String,
        /// Which limit was passed.
        message: String,
    },
}

impl RulesError {
    /// Where in the file it is wrong; `None` if it is the file as a whole.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Malformed { place, .. } | Self::Invalid { place, .. } | Self::TestFailed { place, .. } => Some(place),
            Self::Unreadable { .. } | Self::TooLarge { .. } => None,
        }
    }
}

/// A place in a rules file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named.
    pub origin: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.origin, self.line, self.column)
    }
}

/// A rules file's text with its name, from which errors take their place.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) origin: &'a str,
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// The place where a stretch of bytes begins.
    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place {
            origin: self.origin.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    pub(super) fn malformed(&self, error: &toml::de::Error) -> RulesError {
        let place = self.place(&error.span().unwrap_or(0..0));
        RulesError::Malformed { place, message: error.message().to_owned() }
    }

    pub(super) fn invalid(
        &self,
        span: &Range<usize>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> RulesError {
        RulesError::Invalid { place: self.place(span), found: found.into(), expected: expected.into() }
    }

    pub(super) fn too_large(&self, message: impl ToString) -> RulesError {
        RulesError::TooLarge { origin: self.origin.to_owned(), message: message.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let source = Source { origin: "site.toml", text: "a\n词 = 1\r\nb" };
        let at = |needle: &str| source.text.find(needle).expect("the text holds it");
        assert_eq!(source.place(&(0..1)).to_string(), "site.toml:1:1");
        assert_eq!(source.place(&(at("=")..at("="))).to_string(), "site.toml:2:3");
        assert_eq!(source.place(&(at("b")..at("b"))).to_string(), "site.toml:3:1");
        assert_eq!(source.place(&(99..100)).to_string(), "site.toml:3:2");
    }
}
