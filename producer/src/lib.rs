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
//! receipt is written. Over HTTP, [`senders`] decide who may send.

pub mod bulk;
pub mod cli;
pub mod draft;
pub mod http;
pub mod key;
pub mod lines;
pub mod memory;
pub mod receipts;
pub mod refusal;
pub mod senders;
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
    let no_signals = "cannot listen for signals";
    match &cli.command {
        Command::Serve(args) => {
            let (stop, hangups) = shutdown::of_a_server().context(no_signals)?;
            http::serve::run(args, hangups, stop).await
        }
        Command::Publish(args) => bulk::publish::run(args, shutdown::on_interrupt().context(no_signals)?).await,
        Command::Generate(args) => bulk::generate::run(args, shutdown::on_interrupt().context(no_signals)?).await,
        Command::Token(args) => senders::command::run(args),
        Command::Reference(reference) => reference.run::<Cli>(),
    }
}
