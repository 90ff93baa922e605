//! Finds ids by how they begin, and the post that was recorded last, in tables of any size: each query reads a range of
//! an index, and no more of it than is asked for.

use std::collections::BTreeSet;

use mysql_async::Value;
use time::{Duration, OffsetDateTime};

use super::Store;
use sluice_core::failure::Failure;
use sluice_core::named::Named;
use sluice_core::post::PostId;

/// How many posts the latest is looked for among.
const LOOKED_AT: u32 = 1000;
/// How far the clock of a producer may be ahead of ours.
pub(super) const AHEAD: Duration = Duration::DAY;

impl Store {
    /// The ids of posts and dead letters that begin so, as far as rows and the audit log know them: at most `limit`,
    /// sorted, each once.
    ///
    /// # Errors
    /// The server's.
    pub async fn ids_that_begin(&self, named: &Named, limit: u32) -> Result<Vec<String>, Failure> {
        let mut found: BTreeSet<String> = BTreeSet::new();
        let beginning = named.beginning();
        if let Some(beginning) = &beginning {
            for (table, column) in [("posts", "id"), ("operation_items", "post")] {
                // Behind all digits and dashes.
                found.extend(self.range(table, column, beginning, '~', limit).await?);
            }
        }
        // As it was typed, and as ids are usually written.
        let typed = BTreeSet::from([named.text(), beginning.as_deref().unwrap_or(named.text())]);
        for beginning in typed {
            let ids = self.range("operation_items", "dead_letter", beginning, char::MAX, limit).await?;
            found.extend(ids.into_iter().map(|id| id.parse::<PostId>().map_or(id, |post| post.to_string())));
        }
        Ok(found.into_iter().take(limit as usize).collect())
    }

    /// The different values of an indexed column that begin so; `behind` sorts behind all that may follow.
    async fn range(
        &self,
        table: &str,
        column: &str,
        beginning: &str,
        behind: char,
        limit: u32,
    ) -> Result<Vec<String>, Failure> {
        let statement = format!(
            "SELECT DISTINCT {column} FROM {table} WHERE {column} >= ? AND {column} < ? ORDER BY {column} LIMIT ?"
        );
        let asked: Vec<Value> = vec![beginning.into(), format!("{beginning}{behind}").into(), limit.into()];
        self.read("the query for ids", statement, asked).await
    }

    /// The post that was recorded last. Times of recording have no index, because each insert would pay for it: this is
    /// the last one of the thousand posts whose ids were made last, and only ids that hold their time (UUIDs of version
    /// 7, which the producer makes) count.
    ///
    /// # Errors
    /// The server's.
    pub async fn latest_post(&self, now: OffsetDateTime) -> Result<Option<PostId>, Failure> {
        let statement = format!(
            "SELECT id FROM (SELECT id, recorded_at FROM posts WHERE id < ? ORDER BY id DESC LIMIT {LOOKED_AT}) p \
             WHERE SUBSTRING(id, 15, 1) = '7' ORDER BY recorded_at DESC, id DESC LIMIT 1"
        );
        let found: Vec<String> =
            self.read("the query for the latest post", statement, vec![not_before(now + AHEAD).into()]).await?;
        Ok(found.first().and_then(|id| id.parse().ok()))
    }
}

/// A text that sorts behind all ids of version 7 that were made before a time, and before those that were made later.
pub(super) fn not_before(time: OffsetDateTime) -> String {
    let milliseconds = time.unix_timestamp_nanos() / 1_000_000;
    let digits = format!("{milliseconds:012x}");
    format!("{}-{}", &digits[..8], &digits[8..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_before_the_times_that_come_after_them_and_behind_those_that_came_before() {
        let (before, id, after) = {
            let before = OffsetDateTime::now_utc() - Duration::SECOND;
            (before, PostId::new().to_string(), OffsetDateTime::now_utc() + Duration::SECOND)
        };
        assert!(not_before(before) < id && id < not_before(after), "{id}");
    }
}
