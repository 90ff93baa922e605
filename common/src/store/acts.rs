//! The record of what operators did to which letters. It is only ever added to.

use std::collections::HashSet;

use mysql_async::prelude::Queryable;
use mysql_async::{Params, Value};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Store;
use super::posts::datetime;
use crate::failure::Failure;
use crate::post::PostId;

/// How many letters one statement records.
const WRITE: usize = 100;

/// What an operator did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ActKind {
    /// Put letters back to work.
    Replay,
    /// Took letters out.
    Drop,
}

impl ActKind {
    /// Its name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Drop => "drop",
        }
    }
}

/// One act: who did what, to which selection of letters.
#[derive(Debug, Clone, Serialize)]
pub struct Act {
    /// Its id.
    pub id: String,
    /// What was done.
    pub kind: ActKind,
    /// By whom: user and host.
    pub actor: String,
    /// In which prefix.
    pub prefix: String,
    /// The selection, as it was asked for.
    pub selection: serde_json::Value,
    /// When it began, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub begun_at: OffsetDateTime,
}

impl Act {
    /// A new act, beginning now.
    #[must_use]
    pub fn begin(kind: ActKind, actor: String, prefix: String, selection: serde_json::Value) -> Self {
        Self { id: Uuid::now_v7().to_string(), kind, actor, prefix, selection, begun_at: OffsetDateTime::now_utc() }
    }
}

/// What became of one letter in an act.
#[derive(Debug, Clone, Serialize)]
pub struct LetterOutcome {
    /// Its number within the act, from 1.
    pub number: u32,
    /// The letter's id.
    pub letter: String,
    /// `replayed`, `dropped`, `failed`, …
    pub outcome: &'static str,
    /// Why, where there is more to say.
    pub detail: String,
    /// The letter's body, where the act takes it out of RabbitMQ.
    #[serde(skip)]
    pub body: Option<Vec<u8>>,
    /// Its headers, likewise.
    #[serde(skip)]
    pub headers: Option<serde_json::Value>,
}

impl Store {
    /// Records that an act begins. An act that cannot be recorded must not be done.
    ///
    /// # Errors
    /// The server's.
    pub async fn record_act(&self, act: &Act) -> Result<(), Failure> {
        let pool = self.pool();
        let values =
            (&act.id, act.kind.as_str(), &act.actor, &act.prefix, act.selection.to_string(), datetime(act.begun_at));
        self.bounded("recording an act", async {
            let mut connection = pool.get_conn().await?;
            let statement = "INSERT INTO acts (id, kind, actor, prefix, selection, begun_at) \
                             VALUES (?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE id = id";
            connection.exec_drop(statement, values).await
        })
        .await
    }

    /// Records what became of letters. Repeating it changes nothing.
    ///
    /// # Errors
    /// The server's.
    pub async fn record_letters(&self, act: &Act, letters: &[LetterOutcome]) -> Result<(), Failure> {
        for letters in letters.chunks(WRITE) {
            let places = vec!["(?, ?, ?, ?, ?, ?, ?, ?)"; letters.len()].join(", ");
            let statement = format!(
                "INSERT INTO act_letters (act, number, letter, outcome, detail, body, headers, at) VALUES {places} \
                 ON DUPLICATE KEY UPDATE act = act"
            );
            let now = OffsetDateTime::now_utc();
            let values: Vec<Value> = letters.iter().flat_map(|letter| values(act, letter, now)).collect();
            let pool = self.pool();
            self.bounded("recording letters", async {
                let mut connection = pool.get_conn().await?;
                connection.exec_drop(statement, Params::Positional(values)).await
            })
            .await?;
        }
        Ok(())
    }

    /// Which of these posts an operator dropped.
    ///
    /// # Errors
    /// The server's.
    pub async fn dropped(&self, ids: &[PostId]) -> Result<HashSet<PostId>, Failure> {
        self.which("SELECT DISTINCT letter FROM act_letters WHERE outcome = 'dropped' AND letter", ids).await
    }
}

fn values(act: &Act, letter: &LetterOutcome, now: OffsetDateTime) -> [Value; 8] {
    [
        act.id.as_str().into(),
        letter.number.into(),
        letter.letter.as_str().into(),
        letter.outcome.into(),
        letter.detail.as_str().into(),
        letter.body.as_deref().into(),
        letter.headers.as_ref().map(ToString::to_string).into(),
        datetime(now),
    ]
}
