//! What operators do to dead letters: plan, begin, follow, stop; and the record of it.

mod audit;
mod begin;
mod export;
mod list;
mod one;
mod plan;
mod restore;
mod run;

pub(super) use audit::show as audit;
pub(super) use begin::{begin, stop};
pub(super) use export::export;
pub(super) use list::show as list;
pub(super) use one::show as one;
pub(super) use plan::show as plan;
pub(super) use restore::restore;
