//! The moderators' pages.

mod bulk;
mod comfort;
mod copies;
mod forms;
mod keys;
mod lists;
mod pictures;
mod queue;
mod refused;
mod second;
mod strangers;
