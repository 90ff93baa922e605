//! Posts that people decided about, with their texts: what the rules can be held against.

use mysql_async::Value;
use mysql_async::prelude::FromRow;
use mysql_async::{FromRowError, Row};
use sluice_core::failure::Failure;
use sluice_core::post::PostId;
use sluice_core::verdict::Verdict;
use time::OffsetDateTime;

use super::decision::verdict;
use crate::Store;

/// Which decisions `d` on posts `p` are taken: those of posts after this one that were made since this time, stand, and
/// say approved or rejected. Not those of posts whose texts were erased, or with an open blind second review.
pub(super) const STANDS: &str = "d.post > ? AND d.decided_at >= ? AND d.verdict <> 'held' AND p.content <> '' \
     AND d.revision = (SELECT MAX(n.revision) FROM review_decisions n WHERE n.post = d.post) \
     AND NOT EXISTS (SELECT 1 FROM review_cases s WHERE s.post = d.post AND s.kind = 'second' \
     AND s.state IN ('waiting', 'escalated') AND s.opinion IS NULL)";

/// A post for which a person's decision stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidedPost {
    /// The post.
    pub post: PostId,
    /// Its title.
    pub title: String,
    /// Its text.
    pub content: String,
    /// The category that weighed most against it.
    pub category: String,
    /// What stands.
    pub verdict: Verdict,
}

impl Store {
    /// The posts whose last decision was made since this time and says approved or rejected, in the order of ids, those
    /// after this one, at most `limit`. Posts whose texts were erased are left out, and so are those with an open blind
    /// second review.
    ///
    /// # Errors
    /// The server's.
    pub async fn decided_posts(
        &self,
        since: OffsetDateTime,
        after: Option<PostId>,
        limit: u32,
    ) -> Result<Vec<DecidedPost>, Failure> {
        let statement = format!(
            "SELECT d.post, p.title, p.content, c.category, d.verdict FROM review_decisions d \
             JOIN posts p ON p.id = d.post JOIN review_cases c ON c.id = d.case_id WHERE {STANDS} \
             ORDER BY d.post LIMIT ?"
        );
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let asked: Vec<Value> = vec![after.into(), crate::insertion::datetime(since), limit.into()];
        self.read("the query for decided posts", statement, asked).await
    }
}

impl FromRow for DecidedPost {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        let (post, title, content, category, says) =
            <(String, String, String, String, String)>::from_row_opt(row.clone())?;
        match (post.parse(), verdict(&says)) {
            (Ok(post), Some(verdict)) => Ok(Self { post, title, content, category, verdict }),
            _ => Err(FromRowError(row)),
        }
    }
}
