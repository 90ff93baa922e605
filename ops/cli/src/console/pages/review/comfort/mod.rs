//! What moderators set for themselves: which posts are covered until they ask, whether what the rules found is covered,
//! and after how much work a break is offered. Their browser keeps it; nobody else sees it.

mod page;
mod pause;
mod settings;
mod stretch;

pub(crate) use page::{save, show};
pub(crate) use pause::pause;
pub(crate) use settings::Comfort;
pub(crate) use stretch::Stretch;
