//! Lists: cases by their state, appeals, what one decided oneself.

mod cases;
mod decided;

pub(crate) use cases::{appeals, show as cases};
pub(crate) use decided::show as decided;
