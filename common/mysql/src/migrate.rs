//! The schema: numbered files, each applied once, under a lock that all programs share.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use refinery::Target;

use crate::failure::classify;
use crate::migration_lock::{self, MigrationLock};
use crate::{SchemaError, Store, StoreError};
use sluice_core::failure::{Failure, Kind};

mod embedded {
    #![allow(missing_docs, unreachable_pub, reason = "written by a macro")]
    refinery::embed_migrations!("migrations");
}

/// The wait before a step is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// The codes for a column or a key that is to be added and is already there (`ER_DUP_FIELDNAME`, `ER_DUP_KEYNAME`).
const IS_THERE: [&str; 2] = ["mysql_1060", "mysql_1061"];
/// The codes of a step that another process is doing at the same moment, whose lock this one took for abandoned: it has
/// noted it first, or one of the two was rolled back.
const IN_THE_WAY: [&str; 4] = ["mysql_1062", "mysql_1213", "mysql_1205", "mysql_1412"];

/// What a migration did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The steps that were applied now, by name.
    pub applied: Vec<String>,
    /// The schema's version afterwards.
    pub version: i32,
}

impl Store {
    /// Makes the database itself, if it is not there, on the first node that answers and may be written to.
    ///
    /// # Errors
    /// The last node's.
    pub async fn create_database(&self) -> Result<(), StoreError> {
        let name = self.database.replace('`', "``");
        let statement = format!("CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4");
        for _ in 1..self.nodes.count() {
            match self.on_the_server(&statement).await {
                // The node has been left for the next one.
                Err(Failure { kind: Kind::Dependency, .. }) => {}
                created => return created.map_err(|failure| self.with_context(failure)),
            }
        }
        self.on_the_server(&statement).await.map_err(|failure| self.with_context(failure))
    }

    async fn on_the_server(&self, statement: &str) -> Result<(), Failure> {
        self.bounded("creating the database", async {
            let mut connection = Conn::new(OptsBuilder::from_opts(self.options()).db_name(None::<String>)).await?;
            connection.query_drop(statement).await?;
            connection.disconnect().await
        })
        .await
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
        let mut lock = MigrationLock::take(self).await?;
        let applied = self.apply(&mut lock).await;
        lock.release().await;
        let applied = applied?;
        self.check_engines().await.map_err(with_context)?;
        Ok(Migrated { applied, version: needed() })
    }

    /// Applies the steps that are lacking; gives their names.
    ///
    /// A step and the line that says that it is done are not written together. A process that is killed in between
    /// leaves a step that is done but not noted. A step that makes a table can then be repeated; one that adds a column
    /// or a key fails, and is noted as done.
    async fn apply(&self, lock: &mut MigrationLock<'_>) -> Result<Vec<String>, SchemaError> {
        let begun = Instant::now();
        let mut applied = Vec::new();
        loop {
            lock.keep().await?;
            let lacking = self.lacking().await?.1;
            let Some(step) = lacking.first() else { return Ok(applied) };
            // A table that is not there yet makes the store leave the node, perhaps for a replica.
            self.bounded("connecting", self.connection()).await.map_err(|failure| self.with_context(failure))?;
            let done = match self.step(Target::Version(*step)).await {
                Err(error) if is_one_of(&error, &IS_THERE) => self.step(Target::FakeVersion(*step)).await,
                done => done,
            };
            match done {
                Ok(names) => applied.extend(names),
                Err(error) if is_one_of(&error, &IN_THE_WAY) && begun.elapsed() < migration_lock::PATIENCE => {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => {
                    let problem = innermost(&error);
                    return Err(SchemaError::Failed { database: self.database.clone(), problem });
                }
            }
        }
    }

    async fn step(&self, target: Target) -> Result<Vec<String>, refinery::Error> {
        let runner = embedded::migrations::runner().set_abort_missing(false).set_target(target);
        let report = runner.run_async(&mut self.pool()).await?;
        Ok(report.applied_migrations().iter().map(ToString::to_string).collect())
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
        let versions = self
            .bounded("reading the schema version", async {
                let mut connection = self.connection().await?;
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

/// Whether a step failed for one of these reasons.
fn is_one_of(error: &refinery::Error, codes: &[&str]) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<mysql_async::Error>() {
            return codes.contains(&classify(error).code.as_str());
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
