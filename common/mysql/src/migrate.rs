//! The schema: numbered files, each applied once, under a lock that all programs share.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use refinery::Target;

use crate::failure::classify;
use crate::{Store, StoreError};
use sluice_core::failure::{Failure, Kind};

mod embedded {
    #![allow(missing_docs, unreachable_pub, reason = "written by a macro")]
    refinery::embed_migrations!("migrations");
}

/// How long to wait for another process that is migrating.
const LOCK_PATIENCE: Duration = Duration::from_secs(60);

/// The codes for a column or a key that is to be added and is already there (`ER_DUP_FIELDNAME`, `ER_DUP_KEYNAME`).
const IS_THERE: [&str; 2] = ["mysql_1060", "mysql_1061"];

/// What a migration did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The steps that were applied now, by name.
    pub applied: Vec<String>,
    /// The schema's version afterwards.
    pub version: i32,
}

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

impl Store {
    /// Makes the database itself, if it is not there.
    ///
    /// # Errors
    /// The server's.
    pub async fn create_database(&self) -> Result<(), StoreError> {
        let options: mysql_async::Opts = OptsBuilder::from_opts(self.options.clone()).db_name(None::<String>).into();
        let name = self.database.replace('`', "``");
        self.bounded("creating the database", async {
            let mut connection = Conn::new(options).await?;
            let statement = format!("CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4");
            connection.query_drop(statement).await?;
            connection.disconnect().await
        })
        .await
        .map_err(|failure| self.with_context(failure))
    }

    /// Brings the schema up to this version, and refuses tables whose engine has no transactions. Ten processes may
    /// call it at once: one works, the others wait and then find nothing to do. A schema that is newer than this
    /// version is left alone.
    ///
    /// # Errors
    /// [`SchemaError`].
    pub async fn migrate(&self) -> Result<Migrated, SchemaError> {
        let with_context = |failure: Failure| SchemaError::Store(self.with_context(failure));
        if let (version, 0) = self.pending().await? {
            self.check_engines().await.map_err(with_context)?;
            return Ok(Migrated { applied: Vec::new(), version });
        }
        // The lock belongs to its connection, so it is released however this process ends.
        let mut guard = self.bounded("connecting", self.pool().get_conn()).await.map_err(with_context)?;
        let lock = "SELECT GET_LOCK(CONCAT('sluice.', LEFT(SHA2(DATABASE(), 256), 40)), ?)";
        let waited = tokio::time::timeout(
            LOCK_PATIENCE + crate::PATIENCE,
            guard.exec_first::<Option<i64>, _, _>(lock, (LOCK_PATIENCE.as_secs(),)),
        );
        let what = "waiting for the migration lock";
        let turn = waited.await.map_err(|_| with_context(Failure::timed_out("mysql", what, LOCK_PATIENCE)))?;
        if turn.map_err(|error| with_context(classify(&error)))?.flatten() != Some(1) {
            let problem = format!("another program has been migrating it for {LOCK_PATIENCE:?}");
            return Err(SchemaError::Failed { database: self.database.clone(), problem });
        }
        let applied = self.apply().await;
        // Ending the connection gives the lock back.
        let _ = guard.disconnect().await;
        let applied = applied?;
        self.check_engines().await.map_err(with_context)?;
        Ok(Migrated { applied, version: needed() })
    }

    /// Applies the steps that are lacking; gives their names.
    ///
    /// A step and the line that says that it is done are not written together. A process that is killed in between
    /// leaves a step that is done but not noted. A step that makes a table can then be repeated; one that adds a column
    /// or a key fails, and is noted as done.
    async fn apply(&self) -> Result<Vec<String>, SchemaError> {
        let failed = |problem| SchemaError::Failed { database: self.database.clone(), problem };
        loop {
            let runner = embedded::migrations::runner().set_abort_missing(false);
            match runner.run_async(&mut self.pool()).await {
                Ok(report) => return Ok(report.applied_migrations().iter().map(ToString::to_string).collect()),
                Err(error) if is_done(&error) => {
                    let step = self.lacking().await?.1.into_iter().next();
                    let step = step.ok_or_else(|| failed(innermost(&error)))?;
                    let note = embedded::migrations::runner().set_abort_missing(false);
                    let noted = note.set_target(Target::FakeVersion(step)).run_async(&mut self.pool()).await;
                    noted.map_err(|error| failed(innermost(&error)))?;
                }
                Err(error) => return Err(failed(innermost(&error))),
            }
        }
    }

    /// Refuses a schema that is older than this version needs, and tables whose engine has no transactions.
    ///
    /// # Errors
    /// [`SchemaError::Old`], or the server's.
    pub async fn check_schema(&self) -> Result<(), SchemaError> {
        match self.pending().await? {
            (_, 0) => Ok(self.check_engines().await.map_err(|failure| self.with_context(failure))?),
            (found, _) => Err(SchemaError::Old { database: self.database.clone(), found, needed: needed() }),
        }
    }

    /// The schema's version and how many steps it lacks.
    async fn pending(&self) -> Result<(i32, usize), SchemaError> {
        self.lacking().await.map(|(version, steps)| (version, steps.len()))
    }

    /// The schema's version and the numbers of the steps it lacks, in order.
    async fn lacking(&self) -> Result<(i32, Vec<i32>), SchemaError> {
        let pool = self.pool();
        let versions = self
            .bounded("reading the schema version", async {
                let mut connection = pool.get_conn().await?;
                connection.query::<i32, _>("SELECT version FROM refinery_schema_history ORDER BY version").await
            })
            .await;
        let versions = match versions {
            Ok(versions) => versions,
            Err(failure) if failure.code == "mysql_1146" => Vec::new(),
            Err(failure) => return Err(self.with_context(failure).into()),
        };
        let runner = embedded::migrations::runner();
        let steps = runner.get_migrations().iter().map(refinery::Migration::version);
        let mut lacking: Vec<i32> = steps.filter(|step| !versions.contains(step)).collect();
        lacking.sort_unstable();
        Ok((versions.last().copied().unwrap_or(0), lacking))
    }
}

/// The tables that the steps make.
pub(super) fn tables() -> Vec<String> {
    let made = |step: &refinery::Migration| {
        let name = step.sql()?.strip_prefix("CREATE TABLE IF NOT EXISTS ")?.split_whitespace().next()?;
        Some(name.to_owned())
    };
    embedded::migrations::runner().get_migrations().iter().filter_map(made).collect()
}

fn needed() -> i32 {
    embedded::migrations::runner().get_migrations().iter().map(refinery::Migration::version).max().unwrap_or(0)
}

/// Whether a step failed because the column or the key that it adds is already there.
fn is_done(error: &refinery::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<mysql_async::Error>() {
            return IS_THERE.contains(&classify(error).code.as_str());
        }
        cause = error.source();
    }
    false
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

impl SchemaError {
    /// Whether the database is merely down, so that it is enough to try again.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Store(error) if error.failure.kind == Kind::Dependency || error.failure.kind == Kind::Transient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_that_a_step_makes_is_known() {
        let runner = embedded::migrations::runner();
        let making =
            runner.get_migrations().iter().filter(|step| step.sql().is_some_and(|sql| sql.contains("CREATE TABLE")));
        assert_eq!(tables().len(), making.count());
        assert!(tables().contains(&"posts".to_owned()), "{:?}", tables());
    }
}
