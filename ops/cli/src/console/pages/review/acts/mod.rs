//! What moderators do to a case. Each is a form that posts and is led on.

mod claim;
mod decide;
mod give_back;
mod note;
mod undo;

pub(crate) use claim::{claim, extend};
pub(crate) use decide::{decide, ruling};
pub(crate) use give_back::{escalate, release, skip};
pub(crate) use note::note;
pub(crate) use undo::undo;
