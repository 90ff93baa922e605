//! The wording for each operation.

use sluice_mysql::OperationKind;

/// The words for one kind of operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wording {
    /// Its name in the audit log.
    pub(crate) kind: OperationKind,
    /// The command.
    pub(crate) command: &'static str,
    /// What was done to a dead letter: its outcome in the audit log, in `--json` and in the last line.
    pub(crate) past: &'static str,
    /// The outcome of a dry run.
    pub(crate) would: &'static str,
    /// The prompt, before and after the dead letters.
    pub(crate) asks: (&'static str, &'static str),
}

/// Back to work.
pub(crate) const REPLAY: Wording = Wording {
    kind: OperationKind::Replay,
    command: "dlq replay",
    past: "replayed",
    would: "would_replay",
    asks: ("Replay", "to the work queue"),
};

/// Out of RabbitMQ.
pub(crate) const DROP: Wording = Wording {
    kind: OperationKind::Drop,
    command: "dlq drop",
    past: "dropped",
    would: "would_drop",
    asks: ("Drop", "to the archive (undo: `sluice dlq restore`)"),
};

/// Out of RabbitMQ, without a copy.
pub(crate) const DESTROY: Wording = Wording {
    kind: OperationKind::Destroy,
    command: "dlq drop --forever",
    past: "destroyed",
    would: "would_destroy",
    asks: ("DESTROY", "permanently, with no copy and no undo"),
};

/// Back to the dead-letter queue, from the archive.
pub(crate) const RESTORE: Wording = Wording {
    kind: OperationKind::Restore,
    command: "dlq restore",
    past: "restored",
    would: "would_restore",
    asks: ("Restore", "to the dead-letter queue"),
};

/// Into the dead-letter queue, from a file.
pub(crate) const IMPORT: Wording = Wording {
    kind: OperationKind::Import,
    command: "dlq import",
    past: "imported",
    would: "would_import",
    asks: ("Import", "to the dead-letter queue"),
};
