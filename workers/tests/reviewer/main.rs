//! The outside reviewer, with real servers, real worker processes and an HTTP server of the tests' own that is right,
//! slow, wrong, closed or rude: each time the verdict and the reason are read back from MySQL.

mod answers;
mod bounds;
mod rudeness;
mod server;
mod stage;
#[path = "../support/mod.rs"]
mod support;
