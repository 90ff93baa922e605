//! The moderators' pages.

mod bulk;
mod comfort;
mod forms;
mod keys;
mod lists;
mod pictures;
mod queue;
mod refused;
mod second;
mod strangers;
