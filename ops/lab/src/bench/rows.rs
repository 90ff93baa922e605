//! The table of posts, as a stopwatch: each row tells when it was stored.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts, Pool};
use sluice_core::post::PostId;

use super::LOOK_AGAIN;

/// The posts that were stored.
pub(super) struct Rows {
    pool: Pool,
}

impl Rows {
    pub(super) fn new(database_url: &str) -> anyhow::Result<Self> {
        let opts = Opts::from_url(database_url).context("the address of the database")?;
        let opts = mysql_async::OptsBuilder::from_opts(opts).prefer_socket(false);
        Ok(Self { pool: Pool::new(opts) })
    }

    /// A connection of its own, for many small questions.
    pub(super) async fn connection(&self) -> anyhow::Result<Conn> {
        Ok(self.pool.get_conn().await?)
    }

    /// Throws all rows away, and what was made of them.
    pub(super) async fn clear(&self) -> anyhow::Result<()> {
        let mut connection = self.pool.get_conn().await?;
        for table in ["posts", "review_cases", "review_claims", "review_decisions", "decision_outbox"] {
            connection.query_drop(format!("TRUNCATE TABLE {table}")).await?;
        }
        Ok(())
    }

    /// How many rows are held, and how many cases there are.
    pub(super) async fn held_and_cases(&self) -> anyhow::Result<(usize, usize)> {
        let counts = "SELECT (SELECT COUNT(*) FROM posts WHERE verdict = 'held'), (SELECT COUNT(*) FROM review_cases)";
        Ok(self.pool.get_conn().await?.query_first(counts).await?.unwrap_or_default())
    }

    /// Removes the database.
    pub(super) async fn drop_database(&self, name: &str) -> anyhow::Result<()> {
        Ok(self.pool.get_conn().await?.query_drop(format!("DROP DATABASE IF EXISTS {name}")).await?)
    }

    pub(super) async fn close(self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.pool.disconnect()).await;
    }

    /// How many posts are stored.
    pub(super) async fn count(&self) -> anyhow::Result<usize> {
        let count = self.pool.get_conn().await?.query_first("SELECT COUNT(*) FROM posts").await?;
        Ok(count.unwrap_or(0))
    }

    /// Waits until so many posts are stored.
    pub(super) async fn all_there(&self, posts: usize, patience: Duration) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            let count = self.count().await?;
            if count == posts {
                return Ok(());
            }
            ensure!(begun.elapsed() < patience, "{count} of {posts} posts are stored, and no more arrive");
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// How many were stored in a second, from the first to the last.
    pub(super) async fn rate_limit(&self) -> anyhow::Result<f64> {
        let query = "SELECT COUNT(*), TIMESTAMPDIFF(MICROSECOND, MIN(recorded_at), MAX(recorded_at)) FROM posts";
        let told: Option<(u64, Option<f64>)> = self.pool.get_conn().await?.query_first(query).await?;
        match told {
            Some((rows, Some(microseconds))) if microseconds > 0.0 => Ok(rows as f64 / microseconds * 1e6),
            _ => anyhow::bail!("too few rows to tell how fast they came"),
        }
    }

    /// The ids of all posts that are stored.
    pub(super) async fn ids(&self) -> anyhow::Result<HashSet<String>> {
        let ids: Vec<String> = self.pool.get_conn().await?.query("SELECT id FROM posts").await?;
        Ok(ids.into_iter().collect())
    }

    /// Time from submission to the row, in milliseconds, of each post.
    pub(super) async fn ages(&self) -> anyhow::Result<Vec<f64>> {
        let query = "SELECT TIMESTAMPDIFF(MICROSECOND, submitted_at, recorded_at) / 1000 FROM posts";
        Ok(self.pool.get_conn().await?.query(query).await?)
    }
}

/// Whether a post is stored.
pub(super) async fn is_there(connection: &mut Conn, id: PostId) -> anyhow::Result<bool> {
    let found: Option<u8> = connection.exec_first("SELECT 1 FROM posts WHERE id = ?", (id.to_string(),)).await?;
    Ok(found.is_some())
}
