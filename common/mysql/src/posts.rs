//! The table of posts.

use std::collections::HashSet;

use mysql_async::prelude::Queryable;
use mysql_async::{Params, Value};
use time::{OffsetDateTime, PrimitiveDateTime};

use super::Store;
use super::insertion::Insertion;
use super::refused::all_new;
use super::row::{Recorded, Row, RowOutcome, StoredPost};
use sluice_core::failure::{Failure, Kind};
use sluice_core::post::PostId;

/// The largest row, in bytes of text. A packet over the server's limit breaks the connection on MariaDB, which looks
/// like an outage; half of the smallest default limit (16 MiB) is far from it.
pub(super) const ROW_MAX_BYTES: usize = 8 * 1024 * 1024;
/// How many ids one query asks for.
const ASK: usize = 1000;

impl Store {
    /// Stores rows, in one statement if all of them are new, and gives the outcome of each. If there already is a row
    /// with the id, it stays as it is; what the new row says decides whether it is the same post or a conflict
    /// (`id_conflict`). A row that another unique key refuses fails alone (`mysql_1062`).
    ///
    /// # Errors
    /// The server's, for the group as a whole: the caller finds the row at fault by splitting the group. A statement
    /// that the caller stops waiting for is killed in the server.
    pub async fn insert(&self, rows: &[Row], worker: &str) -> Result<Vec<RowOutcome>, Failure> {
        if let Some(row) = rows.iter().find(|row| row.bytes() > ROW_MAX_BYTES) {
            return Err(too_large(row));
        }
        let now = OffsetDateTime::now_utc();
        let Insertion { statement, values } = Insertion::new(rows, worker, now);
        let all_new = self
            .bounded("an insert", async {
                let mut connection = self.connection().await?;
                let under_way = self.under_way(&connection);
                under_way.answered(connection.exec_drop(statement, Params::Positional(values)).await)?;
                Ok(all_new(&connection, rows.len()))
            })
            .await?;
        if all_new { Ok(vec![Ok(Recorded::Inserted); rows.len()]) } else { self.sort_out(rows, worker, now).await }
    }

    /// Which of these posts are stored.
    ///
    /// # Errors
    /// The server's.
    pub async fn recorded(&self, ids: &[PostId]) -> Result<HashSet<PostId>, Failure> {
        self.which("SELECT id FROM posts WHERE id", ids).await
    }

    /// Those of these ids that a query finds. The query ends where the list of ids has to follow.
    pub(super) async fn which(&self, query: &str, ids: &[PostId]) -> Result<HashSet<PostId>, Failure> {
        let mut found: HashSet<PostId> = HashSet::with_capacity(ids.len());
        for ids in ids.chunks(ASK) {
            let statement = format!("{query} IN ({})", vec!["?"; ids.len()].join(", "));
            let asked: Vec<Value> = ids.iter().map(|id| id.to_string().into()).collect();
            let rows = self
                .bounded("the query for posts", async {
                    let mut connection = self.connection().await?;
                    connection.exec::<String, _, _>(statement, Params::Positional(asked)).await
                })
                .await?;
            found.extend(rows.iter().filter_map(|id| id.parse::<PostId>().ok()));
        }
        Ok(found)
    }

    /// The row of one post.
    ///
    /// # Errors
    /// The server's.
    pub async fn post(&self, id: PostId) -> Result<Option<StoredPost>, Failure> {
        let row = self
            .bounded("the query for a post", async {
                let mut connection = self.connection().await?;
                let statement = "SELECT id, title, content, author, verdict, reasons, ruleset, submitted_at, \
                                 recorded_at, worker, attempts, scores, sender FROM posts WHERE id = ?";
                connection.exec_first::<mysql_async::Row, _, _>(statement, (id.to_string(),)).await
            })
            .await?;
        row.map(read).transpose()
    }
}

/// The failure for a row that is too large to be tried.
pub(super) fn too_large(row: &Row) -> Failure {
    let message = format!("the post has {} bytes, more than the {ROW_MAX_BYTES} a row may have", row.bytes());
    Failure::new(Kind::Permanent, "too_large", message)
}

fn read(mut row: mysql_async::Row) -> Result<StoredPost, Failure> {
    let wrong =
        || Failure::new(Kind::Operator, "mysql_schema", "the columns of the table `posts` do not match this version");
    macro_rules! take {
        ($name:literal) => {
            row.take_opt($name).and_then(Result::ok).ok_or_else(wrong)?
        };
    }
    let at = |time: PrimitiveDateTime| time.assume_utc();
    Ok(StoredPost {
        id: take!("id"),
        title: take!("title"),
        content: take!("content"),
        author: take!("author"),
        verdict: take!("verdict"),
        reasons: take!("reasons"),
        ruleset: take!("ruleset"),
        submitted_at: at(take!("submitted_at")),
        recorded_at: at(take!("recorded_at")),
        worker: take!("worker"),
        attempts: take!("attempts"),
        scores: take!("scores"),
        sender: take!("sender"),
    })
}
