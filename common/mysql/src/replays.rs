//! Past replays, read from the audit log.

use std::collections::HashMap;

use mysql_async::prelude::Queryable;
use mysql_async::{Params, Value};
use serde::Serialize;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::Store;
use super::operation::OperationKind;
use sluice_core::failure::Failure;

/// A replay that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastReplay {
    /// Its id.
    pub id: String,
    /// Who began it: user and host.
    pub actor: String,
    /// When, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub begun_at: OffsetDateTime,
    /// The selection, as it was asked for.
    pub selection: serde_json::Value,
}

/// One dead letter of a past replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastItem {
    /// Its number within the replay, from 1.
    pub number: u32,
    /// The dead letter's id.
    pub dead_letter: String,
    /// What the replay did with it.
    pub outcome: String,
    /// What there was more to say.
    pub detail: String,
}

/// An operation that took a dead letter out of the dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The operation's id.
    pub operation: String,
    /// `replayed`, `dropped` or `destroyed`.
    pub outcome: String,
    /// What there was more to say.
    pub detail: String,
}

impl Store {
    /// The replays of a prefix whose id begins with `id`, the newest first, at most `limit` of them.
    ///
    /// # Errors
    /// The server's.
    pub async fn replays(&self, prefix: &str, id: &str, limit: u32) -> Result<Vec<PastReplay>, Failure> {
        // Hexadecimal digits and dashes only, so that LIKE finds no wildcard in it.
        let plain = id.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        let like = if plain { format!("{}%", id.to_ascii_lowercase()) } else { return Ok(Vec::new()) };
        let statement = "SELECT id, actor, begun_at, selection FROM operations WHERE kind = ? AND prefix = ? AND id LIKE ? \
                         ORDER BY id DESC LIMIT ?";
        let asked = (OperationKind::Replay.as_str(), prefix, like, limit);
        let rows: Vec<(String, String, PrimitiveDateTime, String)> = self
            .bounded("the query for replays", async { self.connection().await?.exec(statement, asked).await })
            .await?;
        let read = |(id, actor, at, selection): (String, String, PrimitiveDateTime, String)| PastReplay {
            id,
            actor,
            begun_at: at.assume_utc(),
            selection: serde_json::from_str(&selection).unwrap_or_default(),
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// The dead letters of an operation with a higher number than `after`, in their order, at most `limit` of them.
    ///
    /// # Errors
    /// The server's.
    pub async fn items_of(&self, operation: &str, after: u32, limit: u32) -> Result<Vec<PastItem>, Failure> {
        let statement = "SELECT number, dead_letter, outcome, detail FROM operation_items WHERE operation = ? AND number > ? \
                         ORDER BY number LIMIT ?";
        let rows: Vec<(u32, String, String, String)> = self
            .bounded("the query for dead letters", async {
                self.connection().await?.exec(statement, (operation, after, limit)).await
            })
            .await?;
        let read = |(number, dead_letter, outcome, detail)| PastItem { number, dead_letter, outcome, detail };
        Ok(rows.into_iter().map(read).collect())
    }

    /// The other operations that took these dead letters out of the dead-letter queue; for each dead letter, the
    /// earlier ones first.
    ///
    /// # Errors
    /// The server's.
    pub async fn taken_by_others(
        &self,
        operation: &str,
        dead_letters: &[&str],
    ) -> Result<HashMap<String, Vec<Taken>>, Failure> {
        let mut found: HashMap<String, Vec<Taken>> = HashMap::new();
        if dead_letters.is_empty() {
            return Ok(found);
        }
        let marks = vec!["?"; dead_letters.len()].join(", ");
        let statement = format!(
            "SELECT dead_letter, operation, outcome, detail FROM operation_items WHERE dead_letter IN ({marks}) AND operation <> ? \
             AND outcome IN ('replayed', 'dropped', 'destroyed') ORDER BY operation, number"
        );
        let mut asked: Vec<Value> = dead_letters.iter().map(|dead_letter| (*dead_letter).into()).collect();
        asked.push(operation.into());
        let rows: Vec<(String, String, String, String)> = self
            .bounded("the query for operations", async {
                self.connection().await?.exec(statement, Params::Positional(asked)).await
            })
            .await?;
        for (dead_letter, operation, outcome, detail) in rows {
            found.entry(dead_letter).or_default().push(Taken { operation, outcome, detail });
        }
        Ok(found)
    }
}
