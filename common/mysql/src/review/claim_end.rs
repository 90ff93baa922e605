//! What became of a claim, for whoever asks again because an answer was lost.

use mysql_async::prelude::FromRow;
use mysql_async::{FromRowError, Row};
use sluice_core::failure::Failure;
use time::{OffsetDateTime, PrimitiveDateTime};
use uuid::Uuid;

use crate::Store;

/// A claim, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimEnd {
    /// The case that was claimed.
    pub case: Uuid,
    /// By whom.
    pub by: String,
    /// When it ended, UTC; none: nobody has noted an end, though its time may be over.
    pub ended_at: Option<OffsetDateTime>,
    /// How: `decided`, `released`, `skipped`, `escalated`, `withdrawn` or `lapsed`.
    pub outcome: Option<String>,
}

impl Store {
    /// The last claim that was made with this token.
    ///
    /// # Errors
    /// The server's.
    pub async fn claim_end(&self, token: Uuid) -> Result<Option<ClaimEnd>, Failure> {
        let statement = "SELECT case_id, moderator, ended_at, outcome FROM review_claims WHERE id = ? \
                         ORDER BY at DESC LIMIT 1";
        Ok(self.read("a look for a claim", statement.to_owned(), vec![token.to_string().into()]).await?.pop())
    }
}

impl FromRow for ClaimEnd {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        type Columns = (String, String, Option<PrimitiveDateTime>, Option<String>);
        let (case, by, ended_at, outcome) = Columns::from_row_opt(row.clone())?;
        let Ok(case) = case.parse() else { return Err(FromRowError(row)) };
        Ok(Self { case, by, ended_at: ended_at.map(PrimitiveDateTime::assume_utc), outcome })
    }
}
