//! How many cases each queue has, and how soon the next one is free.

use mysql_async::prelude::FromRow;
use mysql_async::{FromRowError, Row};
use sluice_core::failure::Failure;
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::Store;

/// The open cases of one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueCounts {
    /// The queue.
    pub queue: String,
    /// Cases that wait for anybody.
    pub waiting: u64,
    /// Cases that moderators have claimed.
    pub claimed: u64,
    /// Cases that wait for a lead.
    pub escalated: u64,
    /// When the oldest open case was opened, UTC.
    pub oldest: Option<OffsetDateTime>,
    /// When the first claim ends, UTC.
    pub next_free_at: Option<OffsetDateTime>,
}

impl Store {
    /// The queues that have open cases, by their names.
    ///
    /// # Errors
    /// The server's.
    pub async fn queue_counts(&self) -> Result<Vec<QueueCounts>, Failure> {
        let live = "COALESCE(claimed_until > NOW(6), 0)";
        let statement = format!(
            "SELECT queue, COALESCE(SUM(state = 'waiting' AND NOT {live}), 0), COALESCE(SUM({live}), 0), \
             COALESCE(SUM(state = 'escalated' AND NOT {live}), 0), MIN(opened_at), \
             MIN(CASE WHEN claimed_until > NOW(6) THEN claimed_until END) \
             FROM review_cases WHERE state IN ('waiting', 'escalated') GROUP BY queue ORDER BY queue"
        );
        self.read("counting cases by queue", statement, Vec::new()).await
    }
}

impl FromRow for QueueCounts {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        type Columns = (String, u64, u64, u64, Option<PrimitiveDateTime>, Option<PrimitiveDateTime>);
        let (queue, waiting, claimed, escalated, oldest, next) = Columns::from_row_opt(row)?;
        let [oldest, next_free_at] = [oldest, next].map(|at| at.map(PrimitiveDateTime::assume_utc));
        Ok(Self { queue, waiting, claimed, escalated, oldest, next_free_at })
    }
}
