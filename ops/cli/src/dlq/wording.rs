//! How each act is spoken of.

use sluice_mysql::ActKind;

/// The words for one kind of act.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wording {
    /// Its name in the record.
    pub(super) kind: ActKind,
    /// The command.
    pub(super) command: &'static str,
    /// What was done to a letter: its outcome in the record, in `--json` and in the last line.
    pub(super) past: &'static str,
    /// The outcome of a dry run.
    pub(super) would: &'static str,
    /// The question, around the letters it is about.
    pub(super) asks: (&'static str, &'static str),
}

/// Back to work.
pub(super) const REPLAY: Wording = Wording {
    kind: ActKind::Replay,
    command: "dlq replay",
    past: "replayed",
    would: "would_replay",
    asks: ("Replay", "to the workers"),
};

/// Out of RabbitMQ.
pub(super) const DROP: Wording = Wording {
    kind: ActKind::Drop,
    command: "dlq drop",
    past: "dropped",
    would: "would_drop",
    asks: ("Drop", "into the record (undo: `sluice dlq restore`)"),
};

/// Out of RabbitMQ and out of the world.
pub(super) const DESTROY: Wording = Wording {
    kind: ActKind::Destroy,
    command: "dlq drop --forever",
    past: "destroyed",
    would: "would_destroy",
    asks: ("DESTROY", "for ever, with nothing kept and no way back"),
};

/// Back among the dead letters, from the record.
pub(super) const RESTORE: Wording = Wording {
    kind: ActKind::Restore,
    command: "dlq restore",
    past: "restored",
    would: "would_restore",
    asks: ("Bring back", "to the dead letters"),
};

/// Back among the dead letters, from a file.
pub(super) const IMPORT: Wording = Wording {
    kind: ActKind::Import,
    command: "dlq import",
    past: "imported",
    would: "would_import",
    asks: ("Import", "to the dead letters"),
};
