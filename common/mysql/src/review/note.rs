//! Notes of the team on a case.

use mysql_async::prelude::FromRow;
use mysql_async::{FromRowError, Row};
use serde::Serialize;
use sluice_core::failure::Failure;
use time::{OffsetDateTime, PrimitiveDateTime};
use uuid::Uuid;

use crate::Store;

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// By whom.
    pub by: String,
    /// When, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What it says.
    pub text: String,
}

impl Store {
    /// Adds a note under an id that the caller made; `false`: there is no such case.
    ///
    /// # Errors
    /// The server's.
    pub async fn add_note(&self, id: Uuid, case: Uuid, by: &str, text: &str) -> Result<bool, Failure> {
        let statement = "INSERT INTO review_notes (id, case_id, moderator, text, at) \
                         SELECT ?, c.id, ?, ?, NOW(6) FROM review_cases c WHERE c.id = ? \
                         ON DUPLICATE KEY UPDATE review_notes.id = review_notes.id";
        let asked = vec![id.to_string().into(), by.into(), text.into(), case.to_string().into()];
        self.read::<Row>("adding a note", statement.to_owned(), asked).await?;
        let there = "SELECT COUNT(*) FROM review_notes WHERE id = ?".to_owned();
        let there: Vec<u64> = self.read("the query for a note", there, vec![id.to_string().into()]).await?;
        Ok(there.first() == Some(&1))
    }

    /// The notes on a case, the first one first.
    ///
    /// # Errors
    /// The server's.
    pub async fn notes(&self, case: Uuid) -> Result<Vec<Note>, Failure> {
        let statement = "SELECT moderator, at, text FROM review_notes WHERE case_id = ? ORDER BY at, id".to_owned();
        self.read("the query for notes", statement, vec![case.to_string().into()]).await
    }
}

impl FromRow for Note {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        let (by, at, text) = <(String, PrimitiveDateTime, String)>::from_row_opt(row)?;
        Ok(Self { by, at: at.assume_utc(), text })
    }
}
