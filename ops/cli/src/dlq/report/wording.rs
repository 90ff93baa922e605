//! The wording for each operation.

use sluice_mysql::OperationKind;

/// The words for one kind of operation.
#[derive(Debug, Clone, Copy)]
pub(in crate::dlq) struct Wording {
    /// Its name in the audit log.
    pub(in crate::dlq) kind: OperationKind,
    /// The command.
    pub(in crate::dlq) command: &'static str,
    /// What was done to a dead letter: its outcome in the audit log, in `--json` and in the last line.
    pub(in crate::dlq) past: &'static str,
    /// The outcome of a dry run.
    pub(in crate::dlq) would: &'static str,
    /// The prompt, before and after the dead letters.
    pub(in crate::dlq) asks: (&'static str, &'static str),
}

/// Back to work.
pub(in crate::dlq) const REPLAY: Wording = Wording {
    kind: OperationKind::Replay,
    command: "dlq replay",
    past: "replayed",
    would: "would_replay",
    asks: ("Replay", "to the work queue"),
};

/// Out of RabbitMQ.
pub(in crate::dlq) const DROP: Wording = Wording {
    kind: OperationKind::Drop,
    command: "dlq drop",
    past: "dropped",
    would: "would_drop",
    asks: ("Drop", "to the archive (undo: `sluice dlq restore`)"),
};

/// Out of RabbitMQ, without a copy.
pub(in crate::dlq) const DESTROY: Wording = Wording {
    kind: OperationKind::Destroy,
    command: "dlq drop --forever",
    past: "destroyed",
    would: "would_destroy",
    asks: ("DESTROY", "permanently, with no copy and no undo"),
};

/// Back to the dead-letter queue, from the archive.
pub(in crate::dlq) const RESTORE: Wording = Wording {
    kind: OperationKind::Restore,
    command: "dlq restore",
    past: "restored",
    would: "would_restore",
    asks: ("Restore", "to the dead-letter queue"),
};

/// Into the dead-letter queue, from a file.
pub(in crate::dlq) const IMPORT: Wording = Wording {
    kind: OperationKind::Import,
    command: "dlq import",
    past: "imported",
    would: "would_import",
    asks: ("Import", "to the dead-letter queue"),
};
