//! How each operation is spoken of.

use sluice_mysql::OperationKind;

/// The words for one kind of operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wording {
    /// Its name in the audit log.
    pub(super) kind: OperationKind,
    /// The command.
    pub(super) command: &'static str,
    /// What was done to a dead letter: its outcome in the audit log, in `--json` and in the last line.
    pub(super) past: &'static str,
    /// The outcome of a dry run.
    pub(super) would: &'static str,
    /// The question, around the dead letters it is about.
    pub(super) asks: (&'static str, &'static str),
}

/// Back to work.
pub(super) const REPLAY: Wording = Wording {
    kind: OperationKind::Replay,
    command: "dlq replay",
    past: "replayed",
    would: "would_replay",
    asks: ("Replay", "to the workers"),
};

/// Out of RabbitMQ.
pub(super) const DROP: Wording = Wording {
    kind: OperationKind::Drop,
    command: "dlq drop",
    past: "dropped",
    would: "would_drop",
    asks: ("Drop", "into the record (undo: `sluice dlq restore`)"),
};

/// Out of RabbitMQ and out of the world.
pub(super) const DESTROY: Wording = Wording {
    kind: OperationKind::Destroy,
    command: "dlq drop --forever",
    past: "destroyed",
    would: "would_destroy",
    asks: ("DESTROY", "for ever, with nothing kept and no way back"),
};

/// Back among the dead letters, from the audit log.
pub(super) const RESTORE: Wording = Wording {
    kind: OperationKind::Restore,
    command: "dlq restore",
    past: "restored",
    would: "would_restore",
    asks: ("Bring back", "to the dead letters"),
};

/// Back among the dead letters, from a file.
pub(super) const IMPORT: Wording = Wording {
    kind: OperationKind::Import,
    command: "dlq import",
    past: "imported",
    would: "would_import",
    asks: ("Import", "to the dead letters"),
};
