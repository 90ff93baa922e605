//! What a worker does on a bad day, with real servers, real processes and real kills: one kind of bad day a file.

mod blame;
mod broker;
mod clock;
mod drain;
mod drift;
mod engine;
mod full;
mod given_up;
mod identity;
mod kill;
mod nodes;
mod outage;
mod panic;
mod poison;
mod restarts;
mod stage;
#[path = "../support/mod.rs"]
mod support;
mod timeout;
mod versions;
mod vital;
