//! Accepts posts over HTTP, from NDJSON files or from a generator. Does not know MySQL.
//!
//! ```text
//!  HTTP  POST /posts ─────────── body ─┐                              ┌─► Publisher::publish
//!        POST /posts/batch ──── intake ┼─► submit ─► Post ── serve ───┤
//!                                      │                  ── batch ───┼─► Publisher::publish_batch
//!  publish FILE ──────────────── lines ┘                              │
//!  generate ──────────────────────── samples ─► Post ─── pipeline ────┘
//! ```
//!
//! However a post arrives, it is accepted only once the broker has confirmed it: then the client gets `202`, or a
//! receipt is written.

pub mod bulk;
pub mod cli;
pub mod draft;
pub mod http;
pub mod lines;
pub mod refusal;
pub mod submit;
pub mod topology_status;

use anyhow::Context as _;
use sluice_runtime::exit::Exit;
use sluice_runtime::{shutdown, telemetry};

use crate::cli::{Cli, Command};

/// Runs the command.
///
/// # Errors
/// Why it could not be done, for people.
pub async fn run(cli: Cli) -> anyhow::Result<Exit> {
    telemetry::init(cli.log.log_format)?;
    let stop = match &cli.command {
        Command::Serve(_) => shutdown::of_a_server(),
        Command::Publish(_) | Command::Generate(_) | Command::Reference(_) => shutdown::on_interrupt(),
    };
    let stop = stop.context("cannot listen for signals")?;
    match &cli.command {
        Command::Serve(args) => http::serve::run(args, stop).await,
        Command::Publish(args) => bulk::publish::run(args, stop).await,
        Command::Generate(args) => bulk::generate::run(args, stop).await,
        Command::Reference(reference) => reference.run::<Cli>(),
    }
}
