//! What operators have begun here: plans that wait for a yes, and operations under way.

mod plans;
mod running;

pub(crate) use plans::{Planned, Plans};
pub(crate) use running::{Running, Work};
