//! The record of acts, read back.

use mysql_async::prelude::FromRow;
use mysql_async::{FromRowError, Row, Value};
use serde::Serialize;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::Store;
use sluice_core::dead_letter::Death;
use sluice_core::failure::Failure;
use sluice_core::named::Named;

/// The most acts whose lines are read at once: a statement has no more than 65,535 places.
const ACTS: u32 = 60_000;
/// Acts without a line, which were killed between the two, are passed over up to this number.
const EMPTY: u32 = 100;

/// One line of the record: what became of one letter in one act.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditEntry {
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
    pub async fn audit_log(&self, prefix: &str, named: Option<&Named>, limit: u32) -> Result<Vec<AuditEntry>, Failure> {
        // Lines of one letter are found by it, all others by the last acts of the prefix.
        let (which, mut asked): (String, Vec<Value>) = match named {
            Some(named) => of_letter(named),
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
             CAST(a.selection AS CHAR) AS asked, (k.act IS NOT NULL OR l.body IS NOT NULL) AS kept, l.post, \
             CAST(l.death AS CHAR) AS death \
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

impl FromRow for AuditEntry {
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
