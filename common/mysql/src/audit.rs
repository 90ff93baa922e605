//! Reads the audit log.

use mysql_async::prelude::FromRow;
use mysql_async::{FromRowError, Row, Value};
use serde::Serialize;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::Store;
use sluice_core::dead_letter::Death;
use sluice_core::failure::Failure;
use sluice_core::named::Named;

/// The most operations whose lines are read at once: a statement has no more than 65,535 places.
const OPERATIONS: u32 = 60_000;
/// Operations without a line, which were killed between the two, are skipped up to this number.
const EMPTY: u32 = 100;

/// One line of the audit log: what became of one dead letter in one operation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditEntry {
    /// When, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// In which operation.
    pub operation: String,
    /// Its place in the operation.
    #[serde(skip)]
    pub number: u32,
    /// What was done: `replay`, `drop`, `edit`, …
    pub kind: String,
    /// By whom: user and host.
    pub actor: String,
    /// To which dead letter.
    pub dead_letter: String,
    /// The id of the post that it held.
    pub post: Option<String>,
    /// What became of it: `replayed`, `dropped`, `denied`, …
    pub outcome: String,
    /// Why, where there is more to say.
    pub detail: String,
    /// Whether the dead letter, as it was before, is archived beside the line.
    pub archived: bool,
    /// The operation that undid it.
    pub undone_by: Option<String>,
    /// What was asked for.
    pub asked: serde_json::Value,
    /// The reason that the operator gave.
    pub reason: Option<String>,
    /// Why it was a dead letter when the operation found it.
    pub death: Option<Death>,
}

impl Store {
    /// The last entries of the audit log of a prefix, the latest first; of one dead letter or post, if it is named.
    ///
    /// # Errors
    /// The server's.
    pub async fn audit_log(&self, prefix: &str, named: Option<&Named>, limit: u32) -> Result<Vec<AuditEntry>, Failure> {
        self.audit_log_before(prefix, named, None, limit).await
    }

    /// The same, of the entries before this one: an operation, and the place in it.
    ///
    /// # Errors
    /// The server's.
    pub async fn audit_log_before(
        &self,
        prefix: &str,
        named: Option<&Named>,
        before: Option<(&str, u32)>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, Failure> {
        // Lines of one dead letter are found by it, all others by the last operations of the prefix.
        let (which, mut asked): (String, Vec<Value>) = match named {
            Some(named) => of_dead_letter(named),
            None => {
                let operations = self.last_operations(prefix, before.map(|(operation, _)| operation), limit).await?;
                if operations.is_empty() {
                    return Ok(Vec::new());
                }
                let marks = vec!["?"; operations.len()].join(", ");
                (format!("l.operation IN ({marks})"), operations.into_iter().map(Value::from).collect())
            }
        };
        let earlier = before.map_or("", |_| "AND (l.operation < ? OR l.operation = ? AND l.number < ?)");
        // With the tables in this order, the lines come sorted by their key, and no more are read than are wanted.
        let statement = format!(
            "SELECT l.at, l.operation, l.number, a.kind, a.actor, l.dead_letter, l.outcome, l.detail, u.operation AS undone_by, \
             CAST(a.selection AS CHAR) AS asked, k.operation IS NOT NULL AS archived, l.post, \
             CAST(l.death AS CHAR) AS death \
             FROM operation_items l STRAIGHT_JOIN operations a ON a.id = l.operation \
             LEFT JOIN archived_dead_letters k ON k.operation = l.operation AND k.number = l.number \
             LEFT JOIN undone_items u ON u.of_operation = l.operation AND u.of_number = l.number \
             WHERE {which} AND a.prefix = ? {earlier} ORDER BY l.operation DESC, l.number DESC LIMIT ?"
        );
        asked.push(prefix.into());
        if let Some((operation, number)) = before {
            asked.extend([operation.into(), operation.into(), number.into()]);
        }
        asked.push(limit.into());
        self.read("reading the audit log", statement, asked).await
    }

    /// The operations that the last lines of a prefix belong to. There are no more of them than lines, because each
    /// operation that was not killed has at least one line.
    async fn last_operations(&self, prefix: &str, until: Option<&str>, lines: u32) -> Result<Vec<String>, Failure> {
        let earlier = until.map_or("", |_| "AND id <= ?");
        let statement = format!("SELECT id FROM operations WHERE prefix = ? {earlier} ORDER BY id DESC LIMIT ?");
        let mut asked: Vec<Value> = [prefix].into_iter().chain(until).map(Value::from).collect();
        asked.push(lines.saturating_add(EMPTY).min(OPERATIONS).into());
        self.read("reading the audit log", statement, asked).await
    }
}

/// The condition that a line `l` is about a dead letter or a post with this name, and its values.
pub(super) fn of_dead_letter(named: &Named) -> (String, Vec<Value>) {
    let mut names: Vec<Value> = named.spellings().into_iter().map(Value::from).collect();
    let marks = vec!["?"; names.len()].join(", ");
    let mut condition = format!("l.dead_letter IN ({marks})");
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
        let text = |name: &str| row.get_opt::<Option<String>, _>(name).and_then(Result::ok).flatten();
        let read = || {
            let asked = text("asked")?;
            let asked = serde_json::from_str(&asked).unwrap_or(serde_json::Value::String(asked));
            Some(Self {
                at: row.get_opt::<PrimitiveDateTime, _>("at")?.ok()?.assume_utc(),
                operation: text("operation")?,
                number: row.get_opt("number")?.ok()?,
                kind: text("kind")?,
                actor: text("actor")?,
                dead_letter: text("dead_letter")?,
                post: text("post"),
                outcome: text("outcome")?,
                detail: text("detail")?,
                archived: row.get_opt("archived")?.ok()?,
                undone_by: text("undone_by"),
                reason: reason(&asked),
                asked,
                death: text("death").and_then(|death| serde_json::from_str(&death).ok()),
            })
        };
        let entry = read();
        entry.ok_or(FromRowError(row))
    }
}
