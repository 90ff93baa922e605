//! `sluice migrate`: the database and its schema.

use clap::Args;
use sluice_core::config::DatabaseArgs;
use sluice_mysql::{SchemaError, Store};
use sluice_runtime::exit::Exit;

use sluice_runtime::output;

/// Arguments of `sluice migrate`.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Creates the database if it is missing, and upgrades its schema to this version.
///
/// # Errors
/// The database's, or what is wrong with the schema.
pub async fn run(args: MigrateArgs) -> anyhow::Result<Exit> {
    let store = Store::new(&args.database)?;
    let created = match store.create_database().await {
        // A user who may not create databases can still migrate an existing one.
        Err(error) if error.needs_operator() => Err(error),
        Err(error) => return Err(error.into()),
        Ok(()) => Ok(()),
    };
    let migrated = match (store.migrate().await, created) {
        (Err(SchemaError::Store(missing)), Err(refused)) if missing.failure.code == "mysql_1049" => Err(refused.into()),
        (migrated, _) => migrated,
    };
    store.close().await;
    let migrated = migrated?;
    output::print(|out| {
        for step in &migrated.applied {
            writeln!(out, "applied {step}")?;
        }
        if migrated.applied.is_empty() {
            writeln!(out, "up to date at version {}", migrated.version)
        } else {
            writeln!(out, "database `{}` is at version {} now", store.database(), migrated.version)
        }
    })?;
    Ok(Exit::Done)
}
