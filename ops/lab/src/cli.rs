//! The command line: which commands there are. The arguments of each are defined with the command.

use clap::{Parser, Subcommand};
use sluice_core::config::LogArgs;

use crate::{bench, demo, stack};

/// Demonstrate and measure Sluice on private servers; not for production machines
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "sluice-lab", version = sluice_core::VERSION, max_term_width = 110)]
pub struct Cli {
    /// Logging.
    #[command(flatten)]
    pub log: LogArgs,
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run private servers in a folder: RabbitMQ, and MariaDB or MySQL
    ///
    /// They listen on free ports of 127.0.0.1 and have passwords of their own. They do not touch the system's own
    /// servers.
    Stack(stack::StackArgs),
    /// Demonstrate all of Sluice in a minute, on private servers
    Demo(demo::DemoArgs),
    /// Compare Sluice with the servers alone and with programs that do not use it
    Bench(bench::BenchArgs),
    /// Run a program that one would write without Sluice; started by `bench`
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
