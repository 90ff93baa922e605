//! Which endpoint is meant: its name, spelled as in the table.

use sluice_core::config::DatabaseArgs;
use sluice_core::failure::Failure;
use sluice_mysql::{Store, StoreError};
use sluice_runtime::output::report;

use crate::visible::cut;

/// Opens the database, whose schema is known to be of this version.
///
/// # Errors
/// When a setting is wrong, the database cannot be asked, or its schema is older.
pub(super) async fn open(database: &DatabaseArgs) -> anyhow::Result<Store> {
    let store = Store::new(database)?;
    store.check_schema().await?;
    Ok(store)
}

/// What the store answered; its failure says where the database is.
///
/// # Errors
/// The store's.
pub(super) fn ok<T>(store: &Store, answer: Result<T, Failure>) -> Result<T, StoreError> {
    answer.map_err(|failure| store.with_context(failure))
}

/// Whether there is this endpoint; if not, that is said.
///
/// # Errors
/// The database's.
pub(super) async fn is_known(store: &Store, name: &str) -> anyhow::Result<bool> {
    let known = ok(store, store.endpoints().await)?;
    if known.iter().any(|endpoint| endpoint.name == name) {
        return Ok(true);
    }
    let names: Vec<String> = known.iter().map(|endpoint| cut(&endpoint.name, 100)).collect();
    let names = if names.is_empty() { "there is none yet".to_owned() } else { format!("known: {}", names.join(", ")) };
    report!("no endpoint is named {}; {names}", cut(name, 100));
    Ok(false)
}
