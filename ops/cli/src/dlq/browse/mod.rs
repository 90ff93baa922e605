//! Commands that read dead letters and change nothing.

pub(in crate::dlq) mod export;
pub(crate) mod group;
pub(in crate::dlq) mod groups;
pub(in crate::dlq) mod list;
pub(crate) mod show;
