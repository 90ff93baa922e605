//! Dead letters: their kinds, those of one kind page by page, and one of them whole.

mod change;
mod edit;
mod editable;
mod groups;
mod list;
mod one;
mod query;
mod snapshot_note;

pub(super) use edit::{edit, show as edit_form};
pub(super) use groups::{refresh, show as groups};
pub(super) use list::show as list;
pub(super) use one::show as one;
pub(super) use query::{Query, encode};
