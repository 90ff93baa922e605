//! The command line: which commands there are. What each takes stands with the command itself.

use clap::{Parser, Subcommand};
use sluice_core::config::LogArgs;

use crate::{bench, demo, stack};

/// Shows and measures Sluice on servers of its own; nothing for a production machine
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "sluice-lab", version = sluice_core::VERSION, max_term_width = 110)]
pub struct Cli {
    /// How to log.
    #[command(flatten)]
    pub log: LogArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Private servers in a folder: RabbitMQ, and MariaDB or MySQL
    Stack(stack::StackArgs),
    /// The whole of it in a minute, on private servers
    Demo(demo::DemoArgs),
    /// How fast it is: beside what the servers can do, and beside what one would write without it
    Bench(bench::BenchArgs),
    /// What one would write without Sluice; started by `bench`
    #[command(hide = true)]
    BenchPeer(bench::PeerArgs),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
