//! The record of acts, read back.

use mysql_async::prelude::FromRow;
use mysql_async::{FromRowError, Row, Value};
use serde::Serialize;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::Store;
use crate::failure::Failure;

/// One line of the record: what became of one letter in one act.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordLine {
    /// When, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// In which act.
    pub act: String,
    /// What was done: `replay`, `drop`, `edit`, …
    pub kind: String,
    /// By whom: user and host.
    pub actor: String,
    /// To which letter.
    pub letter: String,
    /// What became of it: `replayed`, `dropped`, `denied`, …
    pub outcome: String,
    /// Why, where there is more to say.
    pub detail: String,
    /// Whether the letter, as it was before, is kept beside the line.
    pub kept: bool,
    /// The act that undid it.
    pub undone_by: Option<String>,
    /// What was asked for.
    pub asked: serde_json::Value,
}

impl Store {
    /// The last lines of the record of a prefix, the latest first; of one letter, if it is named.
    ///
    /// # Errors
    /// The server's.
    pub async fn record(&self, prefix: &str, letter: Option<&str>, limit: u32) -> Result<Vec<RecordLine>, Failure> {
        let of_letter = if letter.is_some() { "AND l.letter = ? " } else { "" };
        // In this order of tables the lines come as their key has them, and only as many as wanted are read.
        let statement = format!(
            "SELECT l.at, l.act, a.kind, a.actor, l.letter, l.outcome, l.detail, u.act AS undone_by, \
             CAST(a.selection AS CHAR) AS asked, (k.act IS NOT NULL OR l.body IS NOT NULL) AS kept \
             FROM act_letters l STRAIGHT_JOIN acts a ON a.id = l.act \
             LEFT JOIN kept_letters k ON k.act = l.act AND k.number = l.number \
             LEFT JOIN undone_letters u ON u.of_act = l.act AND u.of_number = l.number \
             WHERE a.prefix = ? {of_letter}ORDER BY l.act DESC, l.number DESC LIMIT ?"
        );
        let mut asked: Vec<Value> = vec![prefix.into()];
        asked.extend(letter.map(Value::from));
        asked.push(limit.into());
        self.read("reading the record", statement, asked).await
    }
}

impl FromRow for RecordLine {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        type Columns =
            (PrimitiveDateTime, String, String, String, String, String, String, Option<String>, String, bool);
        let (at, act, kind, actor, letter, outcome, detail, undone_by, asked, kept) = Columns::from_row_opt(row)?;
        let asked = serde_json::from_str(&asked).unwrap_or(serde_json::Value::String(asked));
        Ok(Self { at: at.assume_utc(), act, kind, actor, letter, outcome, detail, kept, undone_by, asked })
    }
}
