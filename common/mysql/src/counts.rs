//! How many posts are stored. InnoDB keeps no count, so counting reads every row. Therefore a small table is counted
//! and a large one is estimated, unless the caller asks for the exact number and waits.

use std::collections::HashMap;
use std::time::Duration;

use mysql_async::prelude::Queryable;
use serde::Serialize;

use super::Store;
use crate::failure::classify;
use sluice_core::failure::{Failure, Kind};
use sluice_core::natural::natural_order;
use sluice_core::verdict::Verdict;

/// The largest table, in rows, that is counted by default; that takes some 0.2 s.
const COUNTED: u64 = 200_000;
/// How many rows of a large table are read for a sample of the verdicts.
const SAMPLE: u32 = 1_000;
/// The longest wait for an exact count.
const PATIENCE: Duration = Duration::from_secs(3600);

/// How many posts have each verdict; every verdict is in it.
pub type ByVerdict = Vec<(Verdict, u64)>;

/// How many posts there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Stored {
    /// Counted.
    Exactly(ByVerdict),
    /// Too many to be counted in a moment.
    About {
        /// InnoDB's estimate of the rows.
        rows: u64,
        /// The verdicts of the posts with the highest ids. Ids begin with the time of submission, so these are mostly
        /// the latest ones.
        sample: ByVerdict,
    },
}

impl Store {
    /// How many posts there are, in a time that does not grow with their number.
    ///
    /// # Errors
    /// The server's.
    pub async fn stored(&self) -> Result<Stored, Failure> {
        let estimate = self.estimate().await?;
        if estimate <= COUNTED {
            // The estimate may be far off. If there is one row more than may be counted, it was.
            let limit = COUNTED + 1;
            let some = self.by_verdict(&format!("SELECT verdict FROM posts LIMIT {limit}"), crate::PATIENCE).await?;
            if some.iter().map(|(_, rows)| rows).sum::<u64>() <= COUNTED {
                return Ok(Stored::Exactly(some));
            }
        }
        let newest = format!("SELECT verdict FROM posts ORDER BY id DESC LIMIT {SAMPLE}");
        let sample = self.by_verdict(&newest, crate::PATIENCE).await?;
        Ok(Stored::About { rows: estimate.max(COUNTED), sample })
    }

    /// How many posts have each verdict, counted: a second or so for each million of them.
    ///
    /// # Errors
    /// The server's.
    pub async fn count_by_verdict(&self) -> Result<ByVerdict, Failure> {
        self.by_verdict("SELECT verdict FROM posts", PATIENCE).await
    }

    /// How many posts each worker process stored, counted.
    ///
    /// # Errors
    /// The server's.
    pub async fn count_by_worker(&self) -> Result<Vec<(String, u64)>, Failure> {
        let mut counts = self.counts("SELECT worker, COUNT(*) FROM posts GROUP BY worker", PATIENCE).await?;
        counts.sort_by(|(one, _), (other, _)| natural_order(one, other));
        Ok(counts)
    }

    async fn by_verdict(&self, rows: &str, patience: Duration) -> Result<ByVerdict, Failure> {
        let statement = format!("SELECT verdict, COUNT(*) FROM ({rows}) AS some GROUP BY verdict");
        let counts: HashMap<String, u64> = self.counts(&statement, patience).await?.into_iter().collect();
        Ok(Verdict::ALL.map(|verdict| (verdict, counts.get(verdict.as_str()).copied().unwrap_or(0))).to_vec())
    }

    /// The rows that InnoDB believes the table to have. It follows each insert, and is set anew from a few pages when a
    /// tenth of the table has changed.
    async fn estimate(&self) -> Result<u64, Failure> {
        let rows: Option<Option<u64>> = self
            .bounded("estimating the rows", async {
                let mut connection = self.connection().await?;
                // MySQL would give an estimate up to a day old. MariaDB has no such setting and does not need it.
                match connection.query_drop("SET SESSION information_schema_stats_expiry = 0").await {
                    Err(error) if classify(&error).kind == Kind::Dependency => return Err(error),
                    _ => {}
                }
                let statement = "SELECT CAST(table_rows AS UNSIGNED) FROM information_schema.tables \
                                 WHERE table_schema = DATABASE() AND table_name = 'posts'";
                connection.query_first(statement).await
            })
            .await?;
        Ok(rows.flatten().unwrap_or(0))
    }

    async fn counts(&self, statement: &str, patience: Duration) -> Result<Vec<(String, u64)>, Failure> {
        self.bounded_by(patience, "a count", async {
            let mut connection = self.connection().await?;
            connection.query::<(String, u64), _>(statement).await
        })
        .await
    }
}
