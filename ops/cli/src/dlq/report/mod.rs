//! How an operation is reported: its wording, its outcomes, and the audit log.

pub(in crate::dlq) mod audit_log;
pub(in crate::dlq) mod outcome;
pub(in crate::dlq) mod reporter;
pub(in crate::dlq) mod wording;
