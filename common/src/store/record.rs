//! The record of acts, read back.

use mysql_async::prelude::FromRow;
use mysql_async::{FromRowError, Row, Value};
use serde::Serialize;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::Store;
use crate::failure::Failure;

/// The most acts whose lines are read at once: a statement has no more than 65,535 places.
const ACTS: u32 = 60_000;
/// Acts without a line, which were killed between the two, are passed over up to this number.
const EMPTY: u32 = 100;

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
        // Lines of one letter are found by it, all others by the last acts of the prefix.
        let (which, mut asked): (String, Vec<Value>) = match letter {
            Some(letter) => ("l.letter = ?".to_owned(), vec![letter.into()]),
            None => {
                let acts = self.last_acts(prefix, limit).await?;
                if acts.is_empty() {
                    return Ok(Vec::new());
                }
                let marks = vec!["?"; acts.len()].join(", ");
                (format!("l.act IN ({marks})"), acts.into_iter().map(Value::from).collect())
            }
        };
        // In this order of tables the lines come as their key has them, and only as many as wanted are read.
        let statement = format!(
            "SELECT l.at, l.act, a.kind, a.actor, l.letter, l.outcome, l.detail, u.act AS undone_by, \
             CAST(a.selection AS CHAR) AS asked, (k.act IS NOT NULL OR l.body IS NOT NULL) AS kept \
             FROM act_letters l STRAIGHT_JOIN acts a ON a.id = l.act \
             LEFT JOIN kept_letters k ON k.act = l.act AND k.number = l.number \
             LEFT JOIN undone_letters u ON u.of_act = l.act AND u.of_number = l.number \
             WHERE {which} AND a.prefix = ? ORDER BY l.act DESC, l.number DESC LIMIT ?"
        );
        asked.extend([prefix.into(), limit.into()]);
        self.read("reading the record", statement, asked).await
    }

    /// The acts that the last lines of a prefix belong to: as many as there are lines at most, since each has a line but
    /// for those that were killed.
    async fn last_acts(&self, prefix: &str, lines: u32) -> Result<Vec<String>, Failure> {
        let statement = "SELECT id FROM acts WHERE prefix = ? ORDER BY id DESC LIMIT ?".to_owned();
        let asked = vec![prefix.into(), lines.saturating_add(EMPTY).min(ACTS).into()];
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
