//! What happened around a post's cases: who claimed them, where its events were sent, and whether its texts were
//! erased. For people who ask what became of it.

use mysql_async::prelude::FromRow;
use mysql_async::{FromRowError, Row, Value};
use serde::Serialize;
use sluice_core::failure::Failure;
use sluice_core::post::PostId;
use time::{OffsetDateTime, PrimitiveDateTime};
use uuid::Uuid;

use super::decision::{COLUMNS, Decision};
use crate::Store;

/// The most claims, and the most deliveries, that are read of one post: the last ones.
const MOST: u32 = 500;

/// A claim of any time. Its token is its holder's alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastClaim {
    /// The case.
    pub case: Uuid,
    /// Who claimed it.
    pub by: String,
    /// When, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// When it ended, UTC; none while it lasts, or if nobody came after its time was over.
    #[serde(with = "time::serde::rfc3339::option")]
    pub ended_at: Option<OffsetDateTime>,
    /// How: `decided`, `released`, `skipped`, `escalated`, `lapsed` or `withdrawn`.
    pub outcome: Option<String>,
}

/// How the delivery of one event to one endpoint stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastDelivery {
    /// The endpoint.
    pub endpoint: String,
    /// The decision; of `post.held`, the case.
    pub decision: Uuid,
    /// Its place in the feed.
    pub seq: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// Why it was not taken the last time.
    pub error: Option<String>,
    /// When it was taken, UTC.
    #[serde(with = "time::serde::rfc3339::option")]
    pub delivered_at: Option<OffsetDateTime>,
}

/// Who had a post's texts erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forgotten {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// When, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

impl Store {
    /// The claims on a post's cases, the first one first; of very many the last 500.
    ///
    /// # Errors
    /// The server's.
    pub async fn claims_of(&self, post: PostId) -> Result<Vec<PastClaim>, Failure> {
        let statement = "SELECT l.case_id, l.moderator, l.at, l.ended_at, l.outcome FROM review_cases c \
                         JOIN review_claims l ON l.case_id = c.id WHERE c.post = ? ORDER BY l.at DESC, l.id DESC \
                         LIMIT ?";
        let asked: Vec<Value> = vec![post.to_string().into(), MOST.into()];
        let mut claims: Vec<PastClaim> = self.read("the query for claims", statement.to_owned(), asked).await?;
        claims.reverse();
        Ok(claims)
    }

    /// The last claim that was made with this token.
    ///
    /// # Errors
    /// The server's.
    pub async fn claim_of(&self, token: Uuid) -> Result<Option<PastClaim>, Failure> {
        let statement = "SELECT case_id, moderator, at, ended_at, outcome FROM review_claims WHERE id = ? \
                         ORDER BY at DESC LIMIT 1";
        Ok(self.read("the query for a claim", statement.to_owned(), vec![token.to_string().into()]).await?.pop())
    }

    /// Where a post's events were sent, in the order of the feed; of very many the last 500.
    ///
    /// # Errors
    /// The server's.
    pub async fn deliveries_of(&self, post: PostId) -> Result<Vec<PastDelivery>, Failure> {
        // By endpoint, since so the index begins.
        let statement = "SELECT d.endpoint, d.decision, d.seq, d.attempts, d.status, d.error, d.delivered_at \
                         FROM decision_endpoints e JOIN decision_deliveries d ON d.endpoint = e.name AND d.post = ? \
                         ORDER BY d.seq DESC, d.endpoint DESC LIMIT ?";
        let asked: Vec<Value> = vec![post.to_string().into(), MOST.into()];
        let mut sent: Vec<PastDelivery> = self.read("the query for deliveries", statement.to_owned(), asked).await?;
        sent.reverse();
        Ok(sent)
    }

    /// Who had a post's texts erased; none: nobody had.
    ///
    /// # Errors
    /// The server's.
    pub async fn forgotten(&self, post: PostId) -> Result<Option<Forgotten>, Failure> {
        let statement = "SELECT actor, reason, at FROM forgotten_posts WHERE post = ?".to_owned();
        Ok(self.read("the query for what was erased", statement, vec![post.to_string().into()]).await?.pop())
    }

    /// Decisions of one act in bulk, in the order of their ids, those after this one, at most `limit`.
    ///
    /// # Errors
    /// The server's.
    pub async fn decisions_of_act(&self, act: Uuid, after: Option<Uuid>, limit: u32) -> Result<Vec<Decision>, Failure> {
        let statement =
            format!("SELECT {COLUMNS} FROM review_decisions d WHERE d.act = ? AND d.id > ? ORDER BY d.id LIMIT ?");
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        self.read("the query for decisions", statement, vec![act.to_string().into(), after.into(), limit.into()]).await
    }
}

impl FromRow for PastClaim {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        type Columns = (String, String, PrimitiveDateTime, Option<PrimitiveDateTime>, Option<String>);
        let (case, by, at, ended_at, outcome) = Columns::from_row_opt(row.clone())?;
        let Ok(case) = case.parse() else { return Err(FromRowError(row)) };
        Ok(Self { case, by, at: at.assume_utc(), ended_at: ended_at.map(PrimitiveDateTime::assume_utc), outcome })
    }
}

impl FromRow for PastDelivery {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        type Columns = (String, String, u64, u32, Option<u16>, Option<String>, Option<PrimitiveDateTime>);
        let (endpoint, decision, seq, attempts, status, error, delivered) = Columns::from_row_opt(row.clone())?;
        let Ok(decision) = decision.parse() else { return Err(FromRowError(row)) };
        let delivered_at = delivered.map(PrimitiveDateTime::assume_utc);
        Ok(Self { endpoint, decision, seq, attempts, status, error, delivered_at })
    }
}

impl FromRow for Forgotten {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        let (by, reason, at) = <(String, Option<String>, PrimitiveDateTime)>::from_row_opt(row)?;
        Ok(Self { by, reason, at: at.assume_utc() })
    }
}
