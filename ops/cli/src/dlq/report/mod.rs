//! The output of an operation: its wording, its outcomes, and the audit log.

pub(in crate::dlq) mod audit_log;
pub(in crate::dlq) mod outcome;
pub(in crate::dlq) mod wording;
