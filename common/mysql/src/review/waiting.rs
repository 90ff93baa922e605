//! What waits for people and for the forum, and what is not accounted for.

use mysql_async::Value;
use serde::Serialize;
use sluice_core::failure::Failure;
use sluice_core::post::PostId;
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::Store;

/// How many posts one query asks for.
const ASK: usize = 500;

/// What is waiting for people, and for the forum.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReviewCounts {
    /// Cases that wait for anybody.
    pub waiting: u64,
    /// Cases that wait for a lead.
    pub escalated: u64,
    /// Cases that moderators have claimed.
    pub claimed: u64,
    /// When the oldest open case was opened, UTC.
    #[serde(with = "time::serde::rfc3339::option")]
    pub oldest: Option<OffsetDateTime>,
    /// Events that have no place in the feed yet.
    pub unnumbered: u64,
    /// Deliveries that an endpoint has not taken yet.
    pub undelivered: u64,
}

impl Store {
    /// What is waiting.
    ///
    /// # Errors
    /// The server's.
    pub async fn review_counts(&self) -> Result<ReviewCounts, Failure> {
        type Columns = (u64, u64, u64, Option<PrimitiveDateTime>, u64, u64);
        let statement = "SELECT COALESCE(SUM(c.state = 'waiting' AND NOT COALESCE(c.claimed_until > NOW(6), 0)), 0), \
             COALESCE(SUM(c.state = 'escalated' AND NOT COALESCE(c.claimed_until > NOW(6), 0)), 0), \
             COALESCE(SUM(COALESCE(c.claimed_until > NOW(6), 0)), 0), MIN(c.opened_at), \
             (SELECT COUNT(*) FROM decision_outbox WHERE seq IS NULL) \
             + (SELECT COUNT(*) FROM review_cases WHERE announced_at IS NULL AND kind = 'held'), \
             (SELECT COUNT(*) FROM decision_endpoints e JOIN decision_deliveries d ON d.endpoint = e.name \
              AND d.delivered_at IS NULL) \
             FROM review_cases c WHERE c.state IN ('waiting', 'escalated')";
        let rows: Vec<Columns> = self.read("counting cases", statement.to_owned(), Vec::new()).await?;
        let (waiting, escalated, claimed, oldest, unnumbered, undelivered) =
            rows.into_iter().next().unwrap_or_default();
        let oldest = oldest.map(PrimitiveDateTime::assume_utc);
        Ok(ReviewCounts { waiting, escalated, claimed, oldest, unnumbered, undelivered })
    }

    /// Of these posts: the held ones that have not exactly one case of their own, and the decisions that are not in the
    /// outbox.
    ///
    /// # Errors
    /// The server's.
    pub async fn unaccounted(&self, posts: &[PostId]) -> Result<(Vec<PostId>, u64), Failure> {
        let (mut without, mut lost) = (Vec::new(), 0);
        for posts in posts.chunks(ASK) {
            let marks = vec!["?"; posts.len()].join(", ");
            let asked: Vec<Value> = posts.iter().map(|post| post.to_string().into()).collect();
            let held = format!(
                "SELECT p.id FROM posts p LEFT JOIN review_cases c ON c.post = p.id AND c.kind = 'held' \
                 WHERE p.verdict = 'held' AND p.id IN ({marks}) AND c.id IS NULL"
            );
            let held: Vec<String> = self.read("the query for cases", held, asked.clone()).await?;
            without.extend(held.iter().filter_map(|id| id.parse::<PostId>().ok()));
            let untold = format!(
                "SELECT COUNT(*) FROM review_decisions d LEFT JOIN decision_outbox o ON o.decision = d.id \
                 WHERE d.post IN ({marks}) AND o.decision IS NULL"
            );
            let untold: Vec<u64> = self.read("the query for decisions", untold, asked).await?;
            lost += untold.first().copied().unwrap_or(0);
        }
        Ok((without, lost))
    }
}
