//! Near copies on real servers: when posts are held for them, and that several processes agree.

mod agreement;
mod held;
mod stage;
#[path = "../support/mod.rs"]
mod support;
