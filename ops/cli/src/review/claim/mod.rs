//! Cases are claimed, given back, and written notes on.

pub(in crate::review) mod give_back;
pub(in crate::review) mod next;
pub(in crate::review) mod note;
