//! Every stored held post has exactly one case, whatever happens on the way: with real servers, real worker processes
//! and real kills.

mod opened;
mod refused;
mod rules;
mod stage;
#[path = "../support/mod.rs"]
mod support;
