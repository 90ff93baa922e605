//! The program as its users meet it, against a real broker: each test starts `sluice-producer` itself, under a prefix
//! of its own, and looks into the queue afterwards.

mod batch;
mod front_door;
mod outage;
mod publish;
mod start;
mod support;
