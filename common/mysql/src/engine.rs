//! Whether our tables can roll back. Rehearsals, and records of several statements, rely on it.
//!
//! The server is asked which of its engines have transactions. No engine is named here: MyISAM, Aria, MEMORY and CSV
//! have none, and there may be others.

use mysql_async::prelude::Queryable as _;

use super::Store;
use super::migrate::tables;
use sluice_core::failure::{Failure, Kind};

/// What is refused: a table without transactions.
const CODE: &str = "mysql_engine";

impl Store {
    /// Refuses tables of ours whose engine has no transactions.
    ///
    /// # Errors
    /// An operator's failure that names each such table, its engine and the statement that fixes it; or the server's.
    pub(super) async fn check_engines(&self) -> Result<(), Failure> {
        // One table at a time: otherwise MariaDB opens all tables of the database to answer. A view has no engine.
        let question = "SELECT t.ENGINE FROM information_schema.TABLES t \
                        LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE \
                        WHERE t.TABLE_SCHEMA = DATABASE() AND t.TABLE_NAME = ? \
                        AND t.ENGINE IS NOT NULL AND COALESCE(e.TRANSACTIONS, 'NO') <> 'YES'";
        let unfit = self
            .bounded("the query for the tables' engines", async {
                let mut connection = self.connection().await?;
                let mut unfit = Vec::new();
                for table in tables() {
                    let engine: Option<String> = connection.exec_first(question, (&table,)).await?;
                    unfit.extend(engine.map(|engine| (table, engine)));
                }
                Ok(unfit)
            })
            .await?;
        if unfit.is_empty() { Ok(()) } else { Err(refused(&unfit)) }
    }
}

fn refused(unfit: &[(String, String)]) -> Failure {
    let tables: Vec<String> = unfit.iter().map(|(table, engine)| format!("`{table}` has {engine}")).collect();
    let cure: Vec<String> = unfit.iter().map(|(table, _)| format!("ALTER TABLE `{table}` ENGINE=InnoDB")).collect();
    let message = format!("tables need an engine with transactions: {}; run {}", tables.join(", "), cure.join("; "));
    Failure::new(Kind::Operator, CODE, message)
}

/// The failure for a rehearsal whose rows stayed after the rollback. They have been deleted.
pub(super) fn not_taken_back() -> Failure {
    let message = "a test row in the table `posts` could not be rolled back, so it was deleted: the engine of the \
                   underlying table has no transactions; use one that has, such as InnoDB";
    Failure::new(Kind::Operator, CODE, message)
}
