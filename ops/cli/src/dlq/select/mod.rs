//! Which dead letters: ids, filters, or all of them. Pure.

mod filters;
pub(in crate::dlq) mod ids;
pub(in crate::dlq) mod named;
mod selection;

pub(in crate::dlq) use filters::Filters;
pub(in crate::dlq) use selection::Selection;
