//! What one person decided.

use mysql_async::prelude::FromRow;
use mysql_async::{FromRowError, Row};
use sluice_core::failure::Failure;

use super::case::Findings;
use super::decision::{COLUMNS, Decision};
use crate::Store;

/// A decision that somebody made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastDecision {
    /// The decision.
    pub decision: Decision,
    /// The post's title; none where the row is gone.
    pub title: Option<String>,
    /// What was found in the post.
    pub findings: Findings,
    /// Whether it is the last one on its post.
    pub stands: bool,
}

impl Store {
    /// What this person decided, the latest first, at most `limit`.
    ///
    /// # Errors
    /// The server's.
    pub async fn decisions_by(&self, name: &str, limit: u32) -> Result<Vec<PastDecision>, Failure> {
        let statement = format!(
            "SELECT {COLUMNS}, p.title, JSON_EXTRACT(p.scores, '$[*].category') AS categories, \
             JSON_SEARCH(p.reasons, 'one', 'title', NULL, '$[*].field') IS NOT NULL AS in_title, d.revision = (SELECT MAX(n.revision) FROM review_decisions n \
             WHERE n.post = d.post) AS stands FROM review_decisions d LEFT JOIN posts p ON p.id = d.post \
             WHERE d.decided_by = ? ORDER BY d.decided_at DESC, d.id DESC LIMIT ?"
        );
        self.read("the query for somebody's decisions", statement, vec![name.into(), limit.into()]).await
    }

    /// How many milliseconds ago this person decided their last cases, second opinions counted and undos not, within a
    /// day: the latest first, at most `limit`.
    ///
    /// # Errors
    /// The server's.
    pub async fn decided_ages(&self, name: &str, limit: u32) -> Result<Vec<u64>, Failure> {
        let statement = "SELECT CAST(GREATEST(TIMESTAMPDIFF(MICROSECOND, at, NOW(6)), 0) DIV 1000 AS UNSIGNED) FROM \
                         (SELECT decided_at AS at FROM review_decisions WHERE decided_by = ? \
                         AND decided_at >= NOW(6) - INTERVAL 1 DAY AND undoes IS NULL \
                         UNION ALL SELECT given_at FROM second_opinions WHERE given_by = ? \
                         AND given_at >= NOW(6) - INTERVAL 1 DAY) AS decided ORDER BY at DESC LIMIT ?";
        let asked = vec![name.into(), name.into(), limit.into()];
        self.read("the query for somebody's decisions", statement.to_owned(), asked).await
    }
}

impl FromRow for PastDecision {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        let title = row.get_opt::<Option<String>, _>("title").and_then(Result::ok);
        let stands = row.get_opt::<bool, _>("stands").and_then(Result::ok);
        match (title, stands) {
            (Some(title), Some(stands)) => {
                let findings = Findings::of(&row);
                Ok(Self { decision: Decision::from_row_opt(row)?, title, findings, stands })
            }
            _ => Err(FromRowError(row)),
        }
    }
}
