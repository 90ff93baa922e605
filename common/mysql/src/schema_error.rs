//! Why the schema is not what a program needs, and what to do.

use sluice_core::failure::Kind;

use crate::StoreError;

/// Why the schema is not what this version needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The schema is older than this version, and we were told not to touch it.
    #[error(
        "database `{database}` has schema version {found}, but this program needs {needed}: upgrade it with `sluice \
         migrate`, or start with SLUICE_MIGRATE=auto"
    )]
    Old {
        /// The database's name.
        database: String,
        /// Its version, 0 where there is none.
        found: i32,
        /// The version this program needs.
        needed: i32,
    },
    /// A step failed.
    #[error("the schema of database `{database}` could not be upgraded: {problem}")]
    Failed {
        /// The database's name.
        database: String,
        /// What went wrong.
        problem: String,
    },
}

impl SchemaError {
    /// Whether the database is merely down, so that it is enough to try again.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Store(error) if error.failure.kind == Kind::Dependency || error.failure.kind == Kind::Transient)
    }
}
