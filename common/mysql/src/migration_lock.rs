//! The lock under which one program at a time changes the schema.
//!
//! On one server, the server has it. On Galera each node has locks of its own, and two programs that change
//! the schema on two nodes can stop the whole cluster for good: `CREATE VIEW` holds its locks while it waits for its
//! place in the cluster's order, so that a statement of another node on the same tables, or of the same view, which was
//! ordered before it waits for it in turn (MariaDB 10.11.19: in the first of each try). There the lock is a row besides:
//! of two that are inserted at once, the cluster accepts one.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Params};
use sluice_core::failure::{Failure, Kind};
use uuid::Uuid;

use crate::{SchemaError, Store};

/// How long to wait until another program releases it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The wait before the row is tried for again.
const PAUSE: Duration = Duration::from_millis(100);

/// After how many seconds without a new step its program counts as killed. If it only was slow, two programs
/// do the same step, which each step is made for.
const ABANDONED_AFTER: u32 = 30;

/// The code of a row that is there already.
const IS_TAKEN: &str = "mysql_1062";

const LOCK: &str = "SELECT GET_LOCK(CONCAT('sluice.', LEFT(SHA2(DATABASE(), 256), 40)), ?)";
const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration_lock (id TINYINT NOT NULL PRIMARY KEY, who CHAR(36) CHARACTER \
                     SET ascii NOT NULL, since DATETIME(6) NOT NULL) ENGINE = InnoDB";
const REMOVE_ABANDONED: &str = "DELETE FROM migration_lock WHERE since < UTC_TIMESTAMP(6) - INTERVAL ? SECOND";
const TAKE: &str = "INSERT INTO migration_lock (id, who, since) VALUES (1, ?, UTC_TIMESTAMP(6))";
const KEEP: &str = "UPDATE migration_lock SET since = UTC_TIMESTAMP(6) WHERE id = 1 AND who = ?";
const RELEASE: &str = "DELETE FROM migration_lock WHERE who = ?";

/// The right to change the schema. The server's part ends with its connection, so however this process ends.
pub(crate) struct MigrationLock<'a> {
    store: &'a Store,
    connection: Conn,
    /// By which name it stands in the row, on a cluster.
    row: Option<String>,
}

impl<'a> MigrationLock<'a> {
    /// Waits for it, for up to [`PATIENCE`] each on this server and on the cluster.
    pub(crate) async fn take(store: &'a Store) -> Result<Self, SchemaError> {
        let with_context = |failure: Failure| SchemaError::from(store.with_context(failure));
        let connection = store.bounded("connecting", store.connection()).await.map_err(with_context)?;
        let mut lock = Self { store, connection, row: None };
        let patience = PATIENCE + crate::PATIENCE;
        let what = "waiting for the migration lock";
        let asked = lock.connection.exec_first::<Option<i64>, _, _>(LOCK, (PATIENCE.as_secs(),));
        if store.bounded_by(patience, what, asked).await.map_err(with_context)?.flatten() != Some(1) {
            return Err(lock.another_has_it());
        }
        if lock.is_on_a_cluster().await.map_err(with_context)? {
            lock.change(TABLE, Params::Empty).await.map_err(with_context)?;
            lock.row = Some(Uuid::now_v7().to_string());
            lock.take_row().await?;
        }
        Ok(lock)
    }

    /// Says before a step that it is still going on; takes it again if another program took it for abandoned.
    pub(crate) async fn keep(&mut self) -> Result<(), SchemaError> {
        let Some(row) = self.row.clone() else { return Ok(()) };
        match self.change(KEEP, (row,).into()).await {
            Ok(1..) => Ok(()),
            Ok(0) => self.take_row().await,
            Err(failure) => Err(self.store.with_context(failure).into()),
        }
    }

    /// Releases it, so that nobody has to wait until it looks abandoned.
    pub(crate) async fn release(mut self) {
        if let Some(row) = self.row.take() {
            let _ = self.change(RELEASE, (row,).into()).await;
        }
        let _ = self.connection.disconnect().await;
    }

    async fn take_row(&mut self) -> Result<(), SchemaError> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let taken = match self.change(REMOVE_ABANDONED, (ABANDONED_AFTER,).into()).await {
                Ok(_) => self.change(TAKE, (self.row.clone(),).into()).await,
                failed => failed,
            };
            match taken {
                Ok(_) => return Ok(()),
                Err(failure) if failure.code == IS_TAKEN => tokio::time::sleep(PAUSE).await,
                Err(failure) => return Err(self.store.with_context(failure).into()),
            }
        }
        Err(self.another_has_it())
    }

    async fn is_on_a_cluster(&mut self) -> Result<bool, Failure> {
        let read = self.connection.query_first::<(String, String), _>("SHOW VARIABLES LIKE 'wsrep_on'");
        let read = self.store.bounded("asking whether the server is in a cluster", read).await?;
        Ok(read.is_some_and(|(_, value)| value == "ON"))
    }

    /// How many rows a statement changed. The cluster rolls back whichever of two came later, a release too.
    async fn change(&mut self, statement: &str, asked: Params) -> Result<u64, Failure> {
        let begun = Instant::now();
        loop {
            let (connection, asked) = (&mut self.connection, asked.clone());
            let call = async {
                connection.exec_drop(statement, asked).await?;
                Ok(connection.affected_rows())
            };
            match self.store.bounded("locking the schema", call).await {
                Err(failure)
                    if failure.kind == Kind::Transient
                        && failure.code != IS_TAKEN
                        && begun.elapsed() < crate::PATIENCE =>
                {
                    tokio::time::sleep(PAUSE).await;
                }
                changed => return changed,
            }
        }
    }

    fn another_has_it(&self) -> SchemaError {
        let problem = format!("another program has been migrating it for {PATIENCE:?}");
        SchemaError::Failed { database: self.store.database.clone(), problem }
    }
}
