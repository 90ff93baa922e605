//! Which dead letters: ids, filters, or all of them. Pure.

mod filters;
pub(crate) mod ids;
pub(crate) mod named;
mod selection;

pub(crate) use filters::Filters;
pub(crate) use selection::{Selection, holds};
