//! The parts of a review that come from a file and are replaced while posts are processed: the rules, and the scorer.

use std::path::{Path, PathBuf};

use sluice_review::{Judge, RuleSet, Scorer};

use super::stamp::Stamp;

/// A part of what reviews a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The rules file, with its word lists.
    Rules,
    /// What was learnt from people's decisions.
    Scorer,
}

impl Part {
    /// Its name in metrics and logs.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Scorer => "scorer",
        }
    }

    /// The state of its files at this moment.
    pub(super) fn stamp(self, file: &Path) -> Stamp {
        match self {
            Self::Rules => Stamp::take(file),
            Self::Scorer => Stamp::of_one(file),
        }
    }

    /// Reads the file. What is in force with this part replaced, or why the file is refused.
    pub(super) fn replaced(self, in_force: &Judge, file: &Path) -> Result<Judge, String> {
        match self {
            Self::Rules => {
                RuleSet::load(file).map(|rules| in_force.with_rules(rules)).map_err(|error| error.to_string())
            }
            Self::Scorer => {
                Scorer::load(file).map(|scorer| in_force.with_scorer(scorer)).map_err(|error| error.to_string())
            }
        }
    }

    /// The id of this part; none of a scorer that is not there.
    pub(super) fn id(self, judge: &Judge) -> Option<&str> {
        match self {
            Self::Rules => Some(judge.rules().id()),
            Self::Scorer => judge.scorer().map(Scorer::id),
        }
    }
}

/// A file that is followed.
#[derive(Debug, Clone)]
pub struct Followed {
    pub(super) part: Part,
    pub(super) file: PathBuf,
    /// Its stamp when it was last read.
    pub(super) read: Stamp,
    /// Its stamp when it was last looked at.
    pub(super) seen: Stamp,
}

impl Followed {
    /// A file that is about to be read for the first time: its stamp is taken before, so that a change in between is
    /// noticed.
    #[must_use]
    pub fn new(part: Part, file: &Path) -> Self {
        let stamp = part.stamp(file);
        Self { part, file: file.to_owned(), read: stamp.clone(), seen: stamp }
    }
}
