//! The record of acts, read back.

use mysql_async::prelude::FromRow;
use mysql_async::{FromRowError, Row, Value};
use serde::Serialize;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::Store;
use crate::dead_letter::Death;
use crate::failure::Failure;
use crate::named::Named;

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
    /// The id of the post that it held.
    pub post: Option<String>,
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
    /// The reason that the operator gave.
    pub reason: Option<String>,
    /// How the letter had died when the act found it.
    pub death: Option<Death>,
}

impl Store {
    /// The last lines of the record of a prefix, the latest first; of one letter or post, if it is named.
    ///
    /// # Errors
    /// The server's.
    pub async fn record(&self, prefix: &str, named: Option<&Named>, limit: u32) -> Result<Vec<RecordLine>, Failure> {
        let (of_letter, names) = named.map(of_letter).unwrap_or_default();
        let of_letter = if named.is_some() { format!("AND {of_letter} ") } else { of_letter };
        // In this order of tables the lines come as their key has them, and only as many as wanted are read.
        let statement = format!(
            "SELECT l.at, l.act, a.kind, a.actor, l.letter, l.outcome, l.detail, u.act AS undone_by, \
             CAST(a.selection AS CHAR) AS asked, (k.act IS NOT NULL OR l.body IS NOT NULL) AS kept, l.post, \
             CAST(l.death AS CHAR) AS death \
             FROM act_letters l STRAIGHT_JOIN acts a ON a.id = l.act \
             LEFT JOIN kept_letters k ON k.act = l.act AND k.number = l.number \
             LEFT JOIN undone_letters u ON u.of_act = l.act AND u.of_number = l.number \
             WHERE a.prefix = ? {of_letter}ORDER BY l.act DESC, l.number DESC LIMIT ?"
        );
        let mut asked: Vec<Value> = vec![prefix.into()];
        asked.extend(names);
        asked.push(limit.into());
        self.read("reading the record", statement, asked).await
    }
}

/// The condition that a line `l` speaks of a letter or a post with this name, and its values.
pub(super) fn of_letter(named: &Named) -> (String, Vec<Value>) {
    let mut names: Vec<Value> = named.spellings().into_iter().map(Value::from).collect();
    let marks = vec!["?"; names.len()].join(", ");
    let mut condition = format!("l.letter IN ({marks})");
    if let Some(post) = named.post() {
        condition = format!("({condition} OR l.post = ?)");
        names.push(post.to_string().into());
    }
    (condition, names)
}

/// The reason in a selection, as it was given.
pub(super) fn reason(asked: &serde_json::Value) -> Option<String> {
    asked.get("reason").and_then(serde_json::Value::as_str).map(str::to_owned)
}

impl FromRow for RecordLine {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        type Columns = (
            PrimitiveDateTime,
            String,
            String,
            String,
            String,
            String,
            String,
            Option<String>,
            String,
            bool,
            Option<String>,
            Option<String>,
        );
        let (at, act, kind, actor, letter, outcome, detail, undone_by, asked, kept, post, death) =
            Columns::from_row_opt(row)?;
        let asked = serde_json::from_str(&asked).unwrap_or(serde_json::Value::String(asked));
        let (reason, death) = (reason(&asked), death.and_then(|death| serde_json::from_str(&death).ok()));
        let at = at.assume_utc();
        Ok(Self { at, act, kind, actor, letter, post, outcome, detail, kept, undone_by, asked, reason, death })
    }
}
