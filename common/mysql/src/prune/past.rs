//! Past prunes, and which posts they deleted.

use std::collections::HashSet;

use mysql_async::prelude::FromRow;
use mysql_async::{FromRowError, Row, Value};
use serde::Serialize;
use sluice_core::failure::Failure;
use sluice_core::post::PostId;
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::Store;

/// How many ids one query asks for.
const ASK: usize = 1000;

/// A prune that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastPrune {
    /// Its id.
    pub prune: String,
    /// By whom: user and host.
    pub actor: String,
    /// Posts that were stored before this, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub stored_before: OffsetDateTime,
    /// The verdicts, separated by commas; empty: all.
    pub verdicts: String,
    /// When it was begun, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub begun_at: OffsetDateTime,
    /// How many posts it deleted so far.
    pub pruned: u64,
}

/// Who had a post deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrunedPost {
    /// The prune's id.
    pub prune: String,
    /// By whom: user and host.
    pub by: String,
    /// When the prune was begun, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

impl Store {
    /// The last prunes, the latest first.
    ///
    /// # Errors
    /// The server's.
    pub async fn prunes(&self, limit: u32) -> Result<Vec<PastPrune>, Failure> {
        let statement = "SELECT id, actor, stored_before, verdicts, begun_at, pruned FROM prunes \
                         ORDER BY id DESC LIMIT ?";
        self.read("the query for prunes", statement.to_owned(), vec![limit.into()]).await
    }

    /// How many posts all prunes deleted so far.
    ///
    /// # Errors
    /// The server's.
    pub async fn pruned_total(&self) -> Result<u64, Failure> {
        let statement = "SELECT CAST(COALESCE(SUM(pruned), 0) AS UNSIGNED) FROM prunes".to_owned();
        Ok(self.read("the query for prunes", statement, Vec::new()).await?.into_iter().next().unwrap_or(0))
    }

    /// Which of these posts were pruned.
    ///
    /// # Errors
    /// The server's.
    pub async fn pruned(&self, ids: &[PostId]) -> Result<HashSet<PostId>, Failure> {
        let mut found = HashSet::new();
        for ids in ids.chunks(ASK) {
            let marks = vec!["?"; ids.len()].join(", ");
            let statement = format!("SELECT post FROM pruned_posts WHERE post IN ({marks})");
            let asked: Vec<Value> = ids.iter().map(|id| id.to_string().into()).collect();
            let posts: Vec<String> = self.read("the query for pruned posts", statement, asked).await?;
            found.extend(posts.iter().filter_map(|post| post.parse::<PostId>().ok()));
        }
        Ok(found)
    }

    /// Who had this post deleted; none: nobody had.
    ///
    /// # Errors
    /// The server's.
    pub async fn pruned_post(&self, post: PostId) -> Result<Option<PrunedPost>, Failure> {
        let statement = "SELECT p.id, p.actor, p.begun_at FROM pruned_posts g JOIN prunes p ON p.id = g.prune \
                         WHERE g.post = ?";
        Ok(self.read("the query for pruned posts", statement.to_owned(), vec![post.to_string().into()]).await?.pop())
    }
}

impl FromRow for PastPrune {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        type Columns = (String, String, PrimitiveDateTime, String, PrimitiveDateTime, u64);
        let (prune, actor, stored_before, verdicts, begun_at, pruned) = Columns::from_row_opt(row)?;
        let (stored_before, begun_at) = (stored_before.assume_utc(), begun_at.assume_utc());
        Ok(Self { prune, actor, stored_before, verdicts, begun_at, pruned })
    }
}

impl FromRow for PrunedPost {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        let (prune, by, at) = <(String, String, PrimitiveDateTime)>::from_row_opt(row)?;
        Ok(Self { prune, by, at: at.assume_utc() })
    }
}
