//! What a person may do on the pages.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// The role of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// See the operators' pages, and change nothing
    Viewer,
    /// Replay, edit, drop and restore dead letters
    Operator,
    /// Decide about held posts
    Moderator,
    /// All that operators and moderators do, and what is escalated
    Lead,
    /// All of it
    Admin,
}

impl Role {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [Self::Viewer, Self::Operator, Self::Moderator, Self::Lead, Self::Admin];

    /// Its name in the file and on the pages.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Moderator => "moderator",
            Self::Lead => "lead",
            Self::Admin => "admin",
        }
    }

    /// Whether somebody of this role may do what needs that one. Operators and moderators stand beside each other:
    /// neither may do the other's work.
    pub(crate) fn may(self, needed: Self) -> bool {
        self == needed || self.rank() > needed.rank()
    }

    fn rank(self) -> u8 {
        match self {
            Self::Viewer => 0,
            Self::Operator | Self::Moderator => 1,
            Self::Lead => 2,
            Self::Admin => 3,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_what_the_lower_ones_may_and_nothing_beside_it() {
        for (role, may) in [
            (Role::Viewer, &[Role::Viewer][..]),
            (Role::Operator, &[Role::Viewer, Role::Operator]),
            (Role::Moderator, &[Role::Viewer, Role::Moderator]),
            (Role::Lead, &[Role::Viewer, Role::Operator, Role::Moderator, Role::Lead]),
            (Role::Admin, &Role::ALL),
        ] {
            for needed in Role::ALL {
                assert_eq!(role.may(needed), may.contains(&needed), "{role} for {needed}");
            }
        }
    }
}
