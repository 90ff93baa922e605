//! Cases, looked at: one or all of them, with their figures.

pub(crate) mod about;
pub(in crate::review) mod export;
pub(in crate::review) mod list;
pub(crate) mod measures;
pub(in crate::review) mod page;
pub(in crate::review) mod policies;
pub(in crate::review) mod show;
pub(crate) mod sweep;
