//! The command line: the list of commands. The arguments of each are defined with the command.

use std::io::IsTerminal as _;

use clap::{Parser, Subcommand};
use sluice_core::config::LogArgs;
use sluice_runtime::command_line::Reference;

use crate::{
    console, decisions, dlq, grants, migrate, probe, prune, replays, review, rules, status, topology, verify, why,
};

/// Operate and inspect Sluice, the queue between incoming posts and MySQL
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 partly done or nothing to act on (with one line for each item
/// concerned), 130 interrupted. With --json, stdout holds JSON and nothing else; messages for people go to stderr.
#[derive(Debug, Parser)]
#[command(name = "sluice", version = sluice_core::VERSION, max_term_width = 110)]
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
    /// Declare exchanges and queues in RabbitMQ, or check them for drift
    Topology(topology::TopologyArgs),
    /// Create or upgrade the database schema
    ///
    /// Creates the database if it does not exist.
    Migrate(migrate::MigrateArgs),
    /// Print the grants that each user needs in MySQL and RabbitMQ (connects to neither)
    Grants(grants::GrantsArgs),
    /// Show queue depth, dead letters, stored posts, workers and rates
    Status(status::StatusArgs),
    /// Inspect, replay, edit, drop and restore dead letters
    Dlq(dlq::DlqArgs),
    /// List past replays and the outcomes of their dead letters (read only)
    Replays(replays::ReplaysArgs),
    /// Account for every accepted id: recorded, queued, dead, dropped or missing
    ///
    /// Ids that are recorded and still among the dead letters are reported as duplicate. Exits with 0 only if no id is
    /// missing and none is duplicate.
    Verify(verify::VerifyArgs),
    /// Show the history of one post and where it is now (read only)
    ///
    /// The history covers when the post was submitted, failed, dead-lettered, replayed and recorded.
    Why(why::WhyArgs),
    /// Review held posts: claim cases, decide, undo (MySQL alone)
    Review(review::ReviewArgs),
    /// Follow decisions on their way to the forum, and operate the endpoints (MySQL alone)
    Decisions(decisions::DecisionsArgs),
    /// Delete old posts while workers go on (MySQL alone)
    ///
    /// Posts that wait for a person or may be appealed against, and those of which an endpoint was not told yet, stay.
    /// With a post go its cases, claims, notes, decisions and events; its id is noted, so that `verify` and `why` know.
    /// It works in short transactions and rests between them. Ctrl-C stops it; the same command goes on.
    Prune(prune::PruneArgs),
    /// Check, explain and evaluate the rules of the review (needs no server)
    Rules(rules::RulesArgs),
    /// Serve the console's pages and its HTTP API, and send decisions to the forum
    ///
    /// Serves the pages for people at /, /api/v1 (described at /api/v1/openapi.json), /healthz, /readyz and /metrics. Several may run.
    Console(Box<console::ConsoleArgs>),
    /// Ask a program's health page, and exit with 0 if it answers 200
    ///
    /// For the health checks of containers that have no shell: sluice probe http://127.0.0.1:8081/readyz
    Probe(probe::ProbeArgs),
    /// Shell completions and manual pages.
    #[command(flatten)]
    Reference(Reference),
}

impl Command {
    /// Whether it draws on the terminal to which log lines would go.
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
