//! The way through the table, in the order of its ids.

use mysql_async::Value;
use sluice_core::failure::Failure;

use super::Prune;
use crate::Store;
use crate::beginnings::{AHEAD, not_before};
use crate::insertion::datetime;

/// Some posts in a row, by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How many were looked at.
    pub seen: u64,
    /// The ids of those that were stored before the prune's limit.
    pub old: Vec<String>,
    /// Where the next page begins; none: this was the last one.
    pub next: Option<String>,
}

impl Store {
    /// The next posts whose ids sort behind `after`, at most `limit`.
    ///
    /// Ids of version 7 hold the time when they were made, and no post is stored before that but for a clock that is
    /// ahead. So the ids of the time since the limit are skipped as one range, and only ids of other versions that
    /// happen to be within it wait until the limit has passed them.
    ///
    /// # Errors
    /// The server's.
    pub async fn prune_page(&self, prune: &Prune, after: &str, limit: u32) -> Result<Page, Failure> {
        let young = not_before(prune.before + AHEAD);
        let behind = not_before(prune.begun_at + AHEAD);
        let within = after < young.as_str();
        let end = if within { "AND id < ?" } else { "" };
        let statement = format!("SELECT id, recorded_at < ? FROM posts WHERE id > ? {end} ORDER BY id LIMIT ?");
        let mut asked: Vec<Value> = vec![datetime(prune.before), after.into()];
        asked.extend(within.then(|| young.as_str().into()));
        asked.push(limit.into());
        let rows: Vec<(String, bool)> = self.read("a pass over the posts", statement, asked).await?;
        let full = rows.len() as u64 == u64::from(limit);
        let next = match rows.last() {
            Some((last, _)) if full => Some(last.clone()),
            _ => within.then_some(behind.max(young)),
        };
        let seen = rows.len() as u64;
        Ok(Page { seen, old: rows.into_iter().filter(|(_, old)| *old).map(|(id, _)| id).collect(), next })
    }
}
