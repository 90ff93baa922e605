//! What a worker does on a bad day, with real servers, real processes and real kills: one kind of bad day a file.

mod blame;
mod broker;
mod clock;
mod drain;
mod drift;
mod engine;
mod full;
mod identity;
mod kill;
mod outage;
mod panic;
mod restarts;
mod stage;
#[path = "../support/mod.rs"]
mod support;
mod timeout;
mod versions;
mod vital;
