//! Cases, looked at: one or all of them, with their figures.

pub(in crate::review) mod about;
pub(in crate::review) mod list;
pub(in crate::review) mod measures;
pub(in crate::review) mod page;
pub(in crate::review) mod policies;
pub(in crate::review) mod show;
pub(crate) mod sweep;
