//! What operators did to which dead letters, as the audit log holds it.

use serde::Serialize;
use sluice_core::dead_letter::Death;
use sluice_core::post::PostId;
use time::OffsetDateTime;
use uuid::Uuid;

/// What an operator did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Put dead letters back to work.
    Replay,
    /// Took dead letters out.
    Drop,
    /// Took dead letters out and archived nothing of them.
    Destroy,
    /// Put dropped dead letters back among the dead ones.
    Restore,
    /// Put exported dead letters back among the dead ones.
    Import,
    /// Changed a dead letter's body.
    Edit,
    /// Gave a dead letter the body back that it had before it was edited.
    EditUndo,
}

impl OperationKind {
    /// Its name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Drop => "drop",
            Self::Destroy => "destroy",
            Self::Restore => "restore",
            Self::Import => "import",
            Self::Edit => "edit",
            Self::EditUndo => "edit_undo",
        }
    }
}

/// One operation: who did what, to which selection of dead letters.
#[derive(Debug, Clone, Serialize)]
pub struct Operation {
    /// Its id.
    pub id: String,
    /// What was done.
    pub kind: OperationKind,
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

impl Operation {
    /// A new operation, beginning now.
    #[must_use]
    pub fn begin(kind: OperationKind, actor: String, prefix: String, selection: serde_json::Value) -> Self {
        Self { id: Uuid::now_v7().to_string(), kind, actor, prefix, selection, begun_at: OffsetDateTime::now_utc() }
    }
}

/// What became of one dead letter in an operation.
#[derive(Debug, Clone, Serialize)]
pub struct OperationItem {
    /// Its number within the operation, from 1.
    pub number: u32,
    /// The dead letter's id.
    pub dead_letter: String,
    /// The id of the post that it holds.
    pub post: Option<PostId>,
    /// `replayed`, `dropped`, `failed`, …
    pub outcome: &'static str,
    /// Why, where there is more to say.
    pub detail: String,
    /// Why it was a dead letter, for the time when it is gone.
    #[serde(skip)]
    pub death: Option<Death>,
    /// The dead letter in full, in the form of `sluice dlq export`, where the operation takes it out of RabbitMQ.
    #[serde(skip)]
    pub archived: Option<String>,
    /// The lines of earlier operations that this one undoes.
    #[serde(skip)]
    pub undoes: Vec<LineId>,
}

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineId {
    /// The operation.
    pub operation: String,
    /// The dead letter's number within it.
    pub number: u32,
}
