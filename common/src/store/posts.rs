//! The table of posts.

use std::collections::HashSet;

use mysql_async::prelude::Queryable;
use mysql_async::{Params, Value};
use serde::Serialize;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::Store;
use super::insertion::{Insertion, datetime};
use crate::failure::{Failure, Kind};
use crate::post::{Post, PostId};
use crate::verdict::Review;

/// The largest row, in bytes of text. A packet over the server's limit breaks the connection on MariaDB, which looks
/// like an outage; half of the smallest default limit (16 MiB) is far from it.
pub(super) const ROW_MAX_BYTES: usize = 8 * 1024 * 1024;
/// How many ids one query asks for.
const ASK: usize = 1000;

/// A reviewed post, ready to be stored.
#[derive(Debug, Clone)]
pub struct Row {
    /// The post.
    pub post: Post,
    /// What the review said.
    pub review: Review,
    /// When, UTC.
    pub reviewed_at: OffsetDateTime,
    /// Which attempt this is, from 1.
    pub attempts: u32,
}

impl Row {
    /// Its size, in bytes of text.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let author = self.post.author.as_ref().map_or(0, String::len);
        self.post.title.len() + self.post.content.len() + author
    }
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is new.
    Inserted,
    /// A row with its id was there: an earlier delivery of the same post.
    AlreadyRecorded,
}

/// A post as it stands in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredPost {
    /// Its id.
    pub id: String,
    /// The title.
    pub title: String,
    /// The text.
    pub content: String,
    /// Who wrote it.
    pub author: Option<String>,
    /// The verdict.
    pub verdict: String,
    /// Its reasons, JSON.
    pub reasons: String,
    /// The rules that spoke.
    pub ruleset: String,
    /// When the front door took it, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub submitted_at: OffsetDateTime,
    /// When it was stored, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub recorded_at: OffsetDateTime,
    /// The worker process that stored it.
    pub worker: String,
    /// At which attempt.
    pub attempts: u32,
    /// The sums of its categories, JSON; `None` in rows of versions that did not store them.
    pub scores: Option<String>,
}

impl Store {
    /// Stores all rows in one statement, or none. A row whose id is there already is left as it is.
    ///
    /// # Errors
    /// The server's, for the group as a whole: whose row it was is found by splitting the group.
    pub async fn insert(&self, rows: &[Row], worker: &str) -> Result<Vec<Recorded>, Failure> {
        if let Some(row) = rows.iter().find(|row| row.bytes() > ROW_MAX_BYTES) {
            return Err(too_large(row));
        }
        let now = OffsetDateTime::now_utc();
        let Insertion { statement, values } = Insertion::new(rows, worker, now);
        let pool = self.pool();
        let new = self
            .bounded("an insert", async {
                let mut connection = pool.get_conn().await?;
                connection.exec_drop(statement, Params::Positional(values)).await?;
                Ok(connection.affected_rows())
            })
            .await?;
        if usize::try_from(new) == Ok(rows.len()) {
            return Ok(vec![Recorded::Inserted; rows.len()]);
        }
        self.tell_apart(rows, worker, now).await
    }

    /// Some ids were there before: those that do not carry this insert's worker and time.
    async fn tell_apart(&self, rows: &[Row], worker: &str, now: OffsetDateTime) -> Result<Vec<Recorded>, Failure> {
        let ids: Vec<Value> = rows.iter().map(|row| row.post.id.to_string().into()).collect();
        let marks = vec!["?"; ids.len()].join(", ");
        let statement = format!("SELECT id FROM posts WHERE worker = ? AND recorded_at = ? AND id IN ({marks})");
        let asked = [vec![worker.into(), datetime(now)], ids].concat();
        let pool = self.pool();
        let mut ours: HashSet<String> = self
            .bounded("a look for rows", async {
                let mut connection = pool.get_conn().await?;
                connection.exec::<String, _, _>(statement, Params::Positional(asked)).await
            })
            .await?
            .into_iter()
            .collect();
        // Taken out when found, so that the second of two deliveries in one group is the one that was there already.
        let found = rows.iter().map(|row| ours.remove(&row.post.id.to_string()));
        Ok(found.map(|ours| if ours { Recorded::Inserted } else { Recorded::AlreadyRecorded }).collect())
    }

    /// Which of these posts are stored.
    ///
    /// # Errors
    /// The server's.
    pub async fn recorded(&self, ids: &[PostId]) -> Result<HashSet<PostId>, Failure> {
        self.which("SELECT id FROM posts WHERE id", ids).await
    }

    /// Those of these ids that a query finds; it ends where the list of ids is to follow.
    pub(super) async fn which(&self, query: &str, ids: &[PostId]) -> Result<HashSet<PostId>, Failure> {
        let mut found: HashSet<PostId> = HashSet::with_capacity(ids.len());
        for ids in ids.chunks(ASK) {
            let statement = format!("{query} IN ({})", vec!["?"; ids.len()].join(", "));
            let asked: Vec<Value> = ids.iter().map(|id| id.to_string().into()).collect();
            let pool = self.pool();
            let rows = self
                .bounded("a look for posts", async {
                    let mut connection = pool.get_conn().await?;
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
        let pool = self.pool();
        let row = self
            .bounded("a look for a post", async {
                let mut connection = pool.get_conn().await?;
                let statement = "SELECT id, title, content, author, verdict, reasons, ruleset, submitted_at, \
                                 recorded_at, worker, attempts, scores FROM posts WHERE id = ?";
                connection.exec_first::<mysql_async::Row, _, _>(statement, (id.to_string(),)).await
            })
            .await?;
        row.map(read).transpose()
    }
}

/// What is said of a row that is never tried.
pub(super) fn too_large(row: &Row) -> Failure {
    let message = format!("the post has {} bytes, more than the {ROW_MAX_BYTES} a row may have", row.bytes());
    Failure::new(Kind::Permanent, "too_large", message)
}

fn read(mut row: mysql_async::Row) -> Result<StoredPost, Failure> {
    let wrong =
        || Failure::new(Kind::Operator, "mysql_schema", "the table `posts` has other columns than this version's");
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
    })
}
