//! Senders: who may post, how fast, under which keys, and that none of them costs another anything.

mod door;
mod flood;
mod keys;
mod register;
mod reload;
mod start;
#[allow(dead_code, reason = "not all of it is needed here")]
#[path = "../support/mod.rs"]
mod support;
