//! `sluice migrate`: the database and its schema, and the cases that held posts of older versions lack.

use clap::Args;
use sluice_core::config::DatabaseArgs;
use sluice_mysql::{SchemaError, Store, Stored};
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use sluice_runtime::shutdown;

use crate::review::case::sweep;

/// Arguments of `sluice migrate`.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Makes the database if it is missing, brings its schema up to this version, and opens the cases that are missing.
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
    // Workers of versions before cases have stored held posts without one. A large table takes minutes to look through.
    let stop = shutdown::on_interrupt()?;
    let with_context = |failure| store.with_context(failure);
    let opened = match store.stored().await.map_err(with_context)? {
        Stored::Exactly(_) => sweep::open_missing(&store, &stop).await.map_err(with_context)?,
        Stored::About { .. } if !migrated.applied.is_empty() => {
            report!("if workers of an earlier version run here, open the cases of held posts: sluice review sweep");
            0
        }
        Stored::About { .. } => 0,
    };
    store.close().await;
    if opened > 0 {
        output::print(|out| writeln!(out, "{}", sweep::told(opened)))?;
    }
    Ok(if stop.is_cancelled() { Exit::Interrupted } else { Exit::Done })
}
