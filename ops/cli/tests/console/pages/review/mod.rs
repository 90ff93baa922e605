//! The moderators' pages.

mod forms;
mod keys;
mod pictures;
mod queue;
mod refused;
mod strangers;
