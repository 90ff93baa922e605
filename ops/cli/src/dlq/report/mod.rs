//! How an operation is reported: its wording, its outcomes, and the audit log.

pub(crate) mod audience;
pub(crate) mod audit_log;
pub(crate) mod outcome;
pub(crate) mod progress;
pub(crate) mod reporter;
pub(crate) mod wording;
