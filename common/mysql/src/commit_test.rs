//! A commit that is made to see whether commits go through, and with it all that came before.
//!
//! A server may take rows and not commit them: with semi-synchronous replication, a commit waits until a replica has
//! received it. A test row that is rolled back does not wait. And whoever finds a row knows only that the primary has
//! it: a commit that waits is in the binary log already, and goes through without the replica if its statement is
//! killed or the server starts again. Replicas receive commits in order. So a later one that is answered shows that
//! they have whatever was there before.

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

use super::Store;
use sluice_core::failure::Failure;

/// Each process has a row of its own, and changes it. While a commit hangs, it has the row locked; the next ones fail
/// at that lock, instead of hanging as well, each in a thread of the server.
const STATEMENT: &str = "INSERT INTO commit_tests (id, mark) VALUES (?, ?) ON DUPLICATE KEY UPDATE mark = VALUES(mark)";

impl Store {
    /// Waits until a commit has gone through. What was found before is then as safe as what was inserted.
    pub(super) async fn test_commit(&self) -> Result<(), Failure> {
        self.bounded("a test commit", async {
            let mut connection = self.connection().await?;
            let under_way = self.under_way(&connection);
            under_way.answered(self.commit_on(&mut connection).await)
        })
        .await
    }

    /// The same on a connection, without a limit.
    pub(super) async fn commit_on(&self, connection: &mut Conn) -> Result<(), mysql_async::Error> {
        connection.exec_drop(STATEMENT, (self.commit_test, fastrand::u64(..))).await
    }
}
