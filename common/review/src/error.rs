//! What is wrong with a rules file, and where: a moderator fixes it by line and column, not by guessing.

use std::fmt;
use std::io;
use std::ops::Range;

use sluice_core::verdict::Verdict;

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
        place: Position,
        /// What was found and what was expected.
        message: String,
    },
    /// Well written, but it cannot mean anything.
    #[error("{place}: found {found}; expected {expected}")]
    Invalid {
        /// Where.
        place: Position,
        /// What stands there.
        found: String,
        /// What could stand there instead.
        expected: String,
    },
    /// A test that the file carries does not hold.
    #[error("{place}: this test expects {expected}, but the rules say {found}")]
    TestFailed {
        /// Where the test's text stands.
        place: Position,
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
    pub fn place(&self) -> Option<&Position> {
        match self {
            Self::Malformed { place, .. } | Self::Invalid { place, .. } | Self::TestFailed { place, .. } => Some(place),
            Self::Unreadable { .. } | Self::TooLarge { .. } => None,
        }
    }
}

/// How many mistakes of one file are told.
const WRONG_MAX: usize = 100;

/// All that is wrong with a file, as far as it can be told in one go. Nothing is made of a file with something wrong.
#[derive(Debug, Default)]
pub(super) struct Wrong(Vec<RulesError>);

impl Wrong {
    /// Notes what is wrong with one thing, so that the next can be looked at.
    pub(super) fn note<T>(&mut self, checked: Result<T, RulesError>) -> Option<T> {
        checked.map_err(|error| self.add(error)).ok()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn add(&mut self, error: RulesError) {
        if self.0.len() < WRONG_MAX {
            self.0.push(error);
        }
    }

    /// `value`, if nothing is wrong; else what is, in the order of the file, and then what is wrong elsewhere.
    pub(super) fn or<T>(self, value: T, source: Source<'_>) -> Result<T, Mistakes> {
        let Self(mut errors) = self;
        let at =
            |error: &RulesError| error.place().filter(|at| at.origin == source.origin).map(|at| (at.line, at.column));
        errors.sort_by_key(|error| at(error).unwrap_or((usize::MAX, 0)));
        // A key that nobody knows is there as often as it is used.
        errors.dedup_by_key(|error| error.to_string());
        let mut errors = errors.into_iter();
        match errors.next() {
            None => Ok(value),
            Some(first) => Err(Mistakes { first, others: errors.collect() }),
        }
    }
}

/// Why a rules file was refused: everything that could be told in one go. Where one line must do, it is the first one
/// and how many there are besides.
#[derive(Debug, thiserror::Error)]
#[error("{first}{}", besides(.others.len()))]
pub struct Mistakes {
    /// The first one.
    pub first: RulesError,
    /// The others, in the order of the file; a hundred at most are told.
    pub others: Vec<RulesError>,
}

fn besides(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => " (and one more error; `sluice rules check` lists both)".to_owned(),
        others => format!(" (and {others} more errors; `sluice rules check` lists them all)"),
    }
}

impl Mistakes {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &RulesError> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl From<RulesError> for Mistakes {
    fn from(first: RulesError) -> Self {
        Self { first, others: Vec::new() }
    }
}

/// A place in a rules file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The file, as it was named.
    pub origin: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
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
    pub(super) fn place(&self, span: &Range<usize>) -> Position {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
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
