//! Cases near a case: those of the same author, and those with the same text.

use mysql_async::{Row, Value};
use sluice_core::failure::Failure;
use sluice_core::post::PostId;
use uuid::Uuid;

use super::case::{COLUMNS, StoredCase};
use super::list::JOINED;
use crate::Store;

/// Has the same folded text as the case `?`, and is of another one.
const SAME_TEXT: &str = "c.fingerprint = (SELECT s.fingerprint FROM review_cases s WHERE s.id = ?)";

impl Store {
    /// Cases of this author's other posts, the latest first, at most `limit`. An author is what the forum said, byte
    /// for byte.
    ///
    /// # Errors
    /// The server's.
    pub async fn cases_of_author(
        &self,
        author: &str,
        other_than: PostId,
        limit: u32,
    ) -> Result<Vec<StoredCase>, Failure> {
        // The index ignores case; the second condition compares bytes.
        let statement = format!(
            "SELECT {COLUMNS}, {JOINED} WHERE c.author = ? AND CAST(c.author AS BINARY) = CAST(? AS BINARY) \
             AND c.post <> ? ORDER BY c.author DESC, c.opened_at DESC LIMIT ?"
        );
        let asked = vec![author.into(), author.into(), other_than.to_string().into(), limit.into()];
        self.read("the query for an author's cases", statement, asked).await
    }

    /// How many other open cases have the same folded text as this one.
    ///
    /// # Errors
    /// The server's.
    pub async fn same_text(&self, case: Uuid) -> Result<u64, Failure> {
        let statement = format!(
            "SELECT COUNT(*) FROM review_cases c WHERE {SAME_TEXT} AND c.state IN ('waiting', 'escalated') AND c.id <> ?"
        );
        let asked: Vec<Value> = vec![case.to_string().into(), case.to_string().into()];
        let counted: Vec<u64> = self.read("counting cases", statement, asked).await?;
        Ok(counted.first().copied().unwrap_or(0))
    }

    /// The cases of held posts with the same folded text as this one, itself included, that wait and are not claimed:
    /// the oldest first, at most `limit`.
    ///
    /// # Errors
    /// The server's.
    pub async fn waiting_with_text_of(&self, case: Uuid, limit: u32) -> Result<Vec<Uuid>, Failure> {
        let statement = format!(
            "SELECT c.id FROM review_cases c WHERE {SAME_TEXT} AND c.state = 'waiting' AND c.kind = 'held' \
             AND NOT COALESCE(c.claimed_until > NOW(6), 0) ORDER BY c.opened_at, c.id LIMIT ?"
        );
        let asked: Vec<Value> = vec![case.to_string().into(), limit.into()];
        let found: Vec<Row> = self.read("the query for cases with the same text", statement, asked).await?;
        let id = |row: Row| row.get_opt::<String, _>(0).and_then(Result::ok).and_then(|id| id.parse().ok());
        Ok(found.into_iter().filter_map(id).collect())
    }
}
