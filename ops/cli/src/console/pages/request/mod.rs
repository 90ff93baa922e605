//! What a request brings: who it is of, what was typed, and which part of a page it is for.

mod fields;
mod visit;

pub(super) use fields::Fields;
pub(super) use visit::{Visit, Who};
