//! People's review at the command line: each command well and wrongly, two people at once, and commands that are killed.

#[path = "../support/mod.rs"]
mod support;

mod bulk;
mod cases;
mod decisions;
mod desk;
mod export;
mod feed;
mod precision;
mod second;
mod told;
mod two;
mod upkeep;
