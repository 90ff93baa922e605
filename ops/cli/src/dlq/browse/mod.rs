//! Commands that read dead letters and change nothing.

pub(in crate::dlq) mod export;
pub(in crate::dlq) mod group;
pub(in crate::dlq) mod groups;
pub(in crate::dlq) mod list;
pub(in crate::dlq) mod show;
