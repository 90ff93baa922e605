//! The command line: which commands there are. What each takes stands with the command itself.

use std::io::IsTerminal as _;

use clap::{Parser, Subcommand};
use sluice_core::config::LogArgs;
use sluice_runtime::command_line::Reference;

use crate::{dlq, migrate, replays, rules, status, topology, verify, why};

/// Looks after the queue between a flood of posts and MySQL
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done in part or nothing there to do it to (with a line for each
/// item), 130 interrupted. With --json, stdout holds JSON and nothing else; all that is for people goes to stderr.
#[derive(Debug, Parser)]
#[command(name = "sluice", version = sluice_core::VERSION, max_term_width = 110)]
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
    /// Declare the exchanges and queues, or compare them with the broker's
    Topology(topology::TopologyArgs),
    /// Create or upgrade the database's schema
    Migrate(migrate::MigrateArgs),
    /// What waits, what died, what is stored, and how fast it moves
    Status(status::StatusArgs),
    /// Dead letters: look at them, replay them, drop them
    Dlq(dlq::DlqArgs),
    /// The replays there were, and what became of their dead letters; changes nothing
    Replays(replays::ReplaysArgs),
    /// Account for every accepted id: recorded, queued, dead, dropped, missing, duplicate
    Verify(verify::VerifyArgs),
    /// One post's whole story: submitted, failed, dead-lettered, replayed, recorded, and where it is now
    Why(why::WhyArgs),
    /// The rules of the review: how good they are on texts of which that is known; asks no server
    Rules(rules::RulesArgs),
    /// What is generated from the command line.
    #[command(flatten)]
    Reference(Reference),
}

impl Command {
    /// Whether it draws on the terminal that log lines would go to.
    #[must_use]
    pub fn has_the_screen(&self) -> bool {
        matches!(self, Self::Status(args) if args.on_a_screen()) && std::io::stderr().is_terminal()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_flag_has_two_defaults() {
        let mut commands = vec![Cli::command()];
        while let Some(mut command) = commands.pop() {
            command.build();
            for flag in command.get_arguments().filter(|flag| !flag.get_default_values().is_empty()) {
                let help = flag.get_long_help().or(flag.get_help()).map(ToString::to_string).unwrap_or_default();
                assert!(!help.contains("[default"), "{} {}: {help}", command.get_name(), flag.get_id());
            }
            commands.extend(command.get_subcommands().cloned());
        }
    }
}
