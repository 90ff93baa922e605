//! One case on one screen.

mod after;
mod lease;
mod marked;
mod show;

pub(super) use after::After;
pub(crate) use show::show;
