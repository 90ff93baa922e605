//! The database with the cases, opened for one command.

pub(crate) mod confirm;
pub(in crate::review) mod find;
pub(in crate::review) mod item;
pub(crate) mod person;
pub(in crate::review) mod refused;

use sluice_core::config::{ConfigError, DatabaseArgs};
use sluice_core::failure::Failure;
use sluice_mysql::Store;

/// What `Store::decide` and `Store::undo` say of an id that is another decision's.
const TAKEN: &str = "decision_id_taken";

/// The database, whose schema is known to be of this version.
pub(in crate::review) struct Desk {
    pub(in crate::review) store: Store,
}

impl Desk {
    /// Opens it.
    ///
    /// # Errors
    /// When a setting is wrong, the database cannot be asked, or its schema is older.
    pub(in crate::review) async fn open(database: &DatabaseArgs) -> anyhow::Result<Self> {
        let store = Store::new(database)?;
        store.check_schema().await?;
        Ok(Self { store })
    }

    /// What the store answered; its failure says where the database is.
    ///
    /// # Errors
    /// The store's; a [`ConfigError`] where an id that was given is another decision's.
    pub(in crate::review) fn ok<T>(&self, answer: Result<T, Failure>) -> anyhow::Result<T> {
        answer.map_err(|failure| match failure.code.as_str() {
            TAKEN => ConfigError::new("--decision", failure.message).into(),
            _ => self.store.with_context(failure).into(),
        })
    }
}
