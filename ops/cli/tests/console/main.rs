//! The console as a process, on real servers: its API, and a forum that is sent decisions and misbehaves.

#[path = "../support/mod.rs"]
mod support;

mod access;
mod certificates;
mod claims;
mod console;
mod document;
mod feed;
mod forum;
mod ground;
mod outage;
mod pages;
mod posts;
mod receiver;
mod second;
mod sender;
mod two;
