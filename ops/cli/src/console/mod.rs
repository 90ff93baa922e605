//! `sluice console`: the pages for people, the API for forums and other tools, and the sender of decisions.
//!
//! ```text
//!  people ───────HTTP──► pages ─┐
//!  forum, tool ──HTTP──► api ───┴──────► the store ◄────────── sender ──HTTP──► the forum's webhook
//!                         │                  ▲                    └────AMQP──► the exchange for decisions
//!                       access             sweep
//! ```
//!
//! Several may run: all that they share is in the database.

mod access;
mod api;
mod pages;
mod sender;
mod serve;
mod settings;
mod sweep;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use sluice_runtime::exit::Exit;
use sluice_runtime::shutdown;

pub use access::account_command::AccountArgs;
pub use access::token_command::TokenArgs;
pub use settings::ServeArgs;

/// Arguments of `sluice console`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ConsoleArgs {
    #[command(subcommand)]
    command: Option<ConsoleCommand>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum ConsoleCommand {
    /// Make a token for a client of the API
    ///
    /// Prints the lines for the file of SLUICE_ACCOUNTS on stdout, and the token on stderr, once: only its hash is kept.
    Token(TokenArgs),
    /// Make an account for a person who uses the pages
    ///
    /// Prints the lines for the file of SLUICE_ACCOUNTS on stdout, and the password on stderr, once: only its hash is
    /// kept.
    Account(AccountArgs),
}

/// Runs it.
///
/// # Errors
/// When a setting is wrong, or the port is taken.
pub async fn run(args: ConsoleArgs) -> anyhow::Result<Exit> {
    match args.command {
        Some(ConsoleCommand::Token(args)) => access::token_command::run(&args),
        Some(ConsoleCommand::Account(args)) => access::account_command::run(&args),
        None => {
            let (stop, hangups) = shutdown::of_a_server().context("cannot listen for signals")?;
            tokio::spawn(hangups.decline());
            serve::run(args.serve, stop).await
        }
    }
}
