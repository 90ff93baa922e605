//! Old posts are deleted, with everything that people's review has of them, while workers go on storing new ones.
//!
//! ```text
//!  begin    the audit entry                          prunes
//!  page     the next posts by id, and which are old  posts
//!  batch    which of those may go, and their end     one short transaction, posts and review tables, pruned_posts
//!  past     which posts went, when and by whom       prunes, pruned_posts
//! ```
//!
//! The time of recording has no index, since each insert would pay for it. So the table is read in the order of its
//! primary key, page by page, and only the range of ids that say themselves that they are younger is left out.

mod batch;
mod page;
mod past;

pub use batch::{Batch, Keep};
pub use page::Page;
pub use past::{PastPrune, PrunedPost};

use mysql_async::Value;
use sluice_core::failure::Failure;
use sluice_core::verdict::Verdict;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};
use uuid::Uuid;

use crate::Store;
use crate::failure::no_row;
use crate::insertion::datetime;

/// Which posts are to go, and who wants that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prune {
    /// Its id in the audit log.
    pub id: Uuid,
    /// By whom: user and host.
    pub actor: String,
    /// When it began, UTC, by the database's clock.
    pub begun_at: OffsetDateTime,
    /// Posts that were stored, and last decided, before this, UTC.
    pub before: OffsetDateTime,
    /// Of those, the ones on which one of these verdicts stands; empty: all.
    pub verdicts: Vec<Verdict>,
}

impl Prune {
    /// The verdicts as the table has them.
    fn verdicts_column(&self) -> String {
        self.verdicts.iter().map(|verdict| verdict.as_str()).collect::<Vec<_>>().join(",")
    }
}

impl Store {
    /// A prune of the posts that are older than this. Nothing is written yet.
    ///
    /// # Errors
    /// The server's.
    pub async fn plan_prune(
        &self,
        actor: String,
        older_than: Duration,
        verdicts: Vec<Verdict>,
    ) -> Result<Prune, Failure> {
        let now: Vec<PrimitiveDateTime> =
            self.read("reading the clock", "SELECT NOW(6)".to_owned(), Vec::new()).await?;
        let begun_at = now.first().copied().ok_or_else(|| crate::classify(&no_row()))?.assume_utc();
        // As long ago as there are times: nothing is older.
        let before = begun_at.checked_sub(older_than).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Ok(Prune { id: Uuid::now_v7(), actor, begun_at, before, verdicts })
    }

    /// Writes a prune into the audit log, before its first batch.
    ///
    /// # Errors
    /// The server's.
    pub async fn begin_prune(&self, prune: &Prune) -> Result<(), Failure> {
        let statement = "INSERT INTO prunes (id, actor, stored_before, verdicts, begun_at) VALUES (?, ?, ?, ?, ?) \
                         ON DUPLICATE KEY UPDATE id = VALUES(id)";
        let asked: Vec<Value> = vec![
            prune.id.to_string().into(),
            prune.actor.as_str().into(),
            datetime(prune.before),
            prune.verdicts_column().into(),
            datetime(prune.begun_at),
        ];
        self.read::<mysql_async::Row>("recording a prune", statement.to_owned(), asked).await.map(|_| ())
    }
}
