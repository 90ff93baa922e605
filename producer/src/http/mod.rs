//! The HTTP API.

mod answer;
pub mod app;
pub mod batch;
pub mod body;
mod gathered;
pub mod intake;
pub mod meters;
pub mod problem;
mod request;
mod routes;
pub mod serve;
pub mod watch;
