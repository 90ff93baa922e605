//! The program as its users meet it, against a real broker: each test starts `sluice-producer` itself, under a prefix
//! of its own, and looks into the queue afterwards.

mod batch;
mod clock;
mod drift;
mod faults;
mod front_door;
mod leaks;
mod outage;
mod publish;
mod resume;
mod rows;
mod signals;
mod start;
mod storm;
#[path = "../support/mod.rs"]
mod support;
