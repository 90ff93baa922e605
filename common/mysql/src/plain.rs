//! A plain row shows whether the table takes posts at all: it is stored and rolled back.
//!
//! No error code tells whose fault a failure is. A lock on the table and a lock on a single row have the same code, and
//! so do a missing table and a trigger that names a missing table for a single author. So the table is tried with a
//! plain row ([`sluice_core::disposition::blame`]); the same test opens the gate.
//!
//! An insert of no row would notice a server that is down or read-only, and a missing table. But only a row meets a
//! full disk, a limit of prepared statements, or a column that must have a value. With a weaker test, the gate would
//! open to the next failure again and again, each time with posts in flight.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Params, TxOpts, Value};
use time::OffsetDateTime;

use super::Store;
use super::engine::not_taken_back;
use super::insertion::{Insertion, another_like_the_last};
use super::row::Row;
use crate::failure::classify;
use crate::review::try_case;
use sluice_core::failure::{Failure, Kind};
use sluice_core::post::{Post, PostId};
use sluice_core::verdict::{Review, Verdict};

/// What a plain post says.
const TEXT: &str = "A test row that is inserted to see whether posts can be stored, and rolled back.";
/// The text of the large row, in bytes: as much room as a group of some hundred usual posts takes.
const BYTES: usize = 256 * 1024;
/// The longest wait for plain rows: shorter than for an insert, so that the answer is there before an insert that hangs
/// is given up, and longer than the wait for a lock.
const PATIENCE: Duration = Duration::from_secs(4);
/// A row that is refused within this time was refused for what it is; one that took longer had waited for a lock.
const AT_ONCE: Duration = Duration::from_millis(500);

/// The result of an insert that was rolled back.
struct Tried {
    /// How many rows it stored.
    rows: u64,
    /// Whether the row had to be deleted, because its table cannot roll back.
    stayed: bool,
}

impl Store {
    /// Whether posts could be stored now. Nothing of the test stays in the table.
    ///
    /// A table may have extra constraints on posts (an author, some prefix). So it is tried with a post without an
    /// author, with one with an author, and with the post that it stored last: one of them is enough. There has to be
    /// room for a large row as well, but that one need not suit the table. And the rollback has to work: a table of
    /// ours whose engine has no transactions is refused. Last, a commit has to go through.
    ///
    /// # Errors
    /// Why not: the failure of the first row.
    pub async fn probe(&self) -> Result<(), Failure> {
        // First: what cannot be rolled back would have to be deleted, and not every user may.
        self.check_engines().await?;
        let stayed = self
            .bounded_by(PATIENCE, "a test row", async {
                let mut connection = self.connection().await?;
                let under_way = self.under_way(&connection);
                under_way.answered(self.takes_plain_rows(&mut connection).await)
            })
            .await?;
        if stayed { Err(not_taken_back()) } else { Ok(()) }
    }

    /// Whether one of the rows that were tried had to be deleted.
    async fn takes_plain_rows(&self, connection: &mut Conn) -> Result<bool, mysql_async::Error> {
        self.ask_packet(connection).await?;
        let begun = Instant::now();
        let mut stayed = false;
        match try_row(connection, None, TEXT).await {
            Ok(tried) => stayed |= tried.stayed,
            Err(refused) => {
                let with_author =
                    begun.elapsed() < AT_ONCE && try_row(connection, Some("somebody"), TEXT).await.is_ok();
                if !with_author && (begun.elapsed() > AT_ONCE || !takes_the_last_again(connection).await) {
                    return Err(refused);
                }
            }
        }
        // A post that is held is stored only with its case.
        try_case(connection).await?;
        let large = "x".repeat(BYTES.min(self.packet() / 2));
        match try_row(connection, Some("somebody"), &large).await {
            Err(error) if classify(&error).kind == Kind::Permanent => {}
            Err(error) => return Err(error),
            Ok(tried) => stayed |= tried.stayed,
        }
        // What is rolled back does not wait for what a commit waits for.
        self.commit_on(connection).await?;
        Ok(stayed)
    }
}

/// Stores a row and takes it back.
async fn try_row(connection: &mut Conn, author: Option<&str>, content: &str) -> Result<Tried, mysql_async::Error> {
    let now = OffsetDateTime::now_utc();
    let row = row(author, content, now);
    let Insertion { statement, values } = Insertion::new(std::slice::from_ref(&row), "", now);
    insert_once(connection, row.post.id, &statement, values).await
}

async fn takes_the_last_again(connection: &mut Conn) -> bool {
    let id = PostId::new();
    let tried = insert_once(connection, id, &another_like_the_last(), vec![id.to_string().into()]).await;
    matches!(tried, Ok(Tried { rows: 1, .. }))
}

/// Stores the row with this new id and rolls it back. Each row has its own transaction: a deadlock ends the
/// transaction, and the next row in it would stay.
async fn insert_once(
    connection: &mut Conn,
    id: PostId,
    statement: &str,
    values: Vec<Value>,
) -> Result<Tried, mysql_async::Error> {
    // If an error leaves it open, the end of the connection rolls it back.
    let mut transaction = connection.start_transaction(TxOpts::default()).await?;
    let inserted = transaction.exec_drop(statement, Params::Positional(values)).await;
    let rows = transaction.affected_rows();
    let taken_back = transaction.rollback().await;
    inserted.and(taken_back)?;
    // The server warns if a table without transactions took part.
    let mut stayed = connection.get_warnings() > 0;
    if stayed {
        connection.exec_drop("DELETE FROM posts WHERE id = ?", (id.to_string(),)).await?;
        stayed = connection.affected_rows() > 0;
    }
    Ok(Tried { rows, stayed })
}

fn row(author: Option<&str>, content: &str, now: OffsetDateTime) -> Row {
    let post = Post {
        id: PostId::new(),
        title: "A test row".to_owned(),
        content: content.to_owned(),
        author: author.map(str::to_owned),
        submitted_at: now,
    };
    let review = Review {
        verdict: Verdict::Approved,
        reasons: Vec::new(),
        scores: Vec::new(),
        shadow: Vec::new(),
        ruleset: String::new(),
    };
    Row { post, review, reviewed_at: now, attempts: 0, sender: None }
}
