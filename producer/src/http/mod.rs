//! The front door: posts over HTTP.

pub mod app;
pub mod batch;
pub mod body;
mod gathered;
pub mod intake;
pub mod memory;
pub mod meters;
pub mod problem;
pub mod serve;
pub mod watch;
