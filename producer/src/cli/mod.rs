//! The command line: every setting with its variable and its default. A flag takes precedence over its variable.

mod serve;
mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use sluice_core::config::{BrokerArgs, LogArgs, duration};
use sluice_core::name::SenderName;
use sluice_runtime::command_line::Reference;

pub use serve::Serve;
use values::{key, rate};

use crate::key::Key;

/// Publish posts to RabbitMQ: from HTTP, from files, or generated
///
/// A post is accepted once RabbitMQ has confirmed it.
#[derive(Debug, Parser)]
#[command(name = "sluice-producer", version, propagate_version = true)]
pub struct Cli {
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,

    /// Logging.
    #[command(flatten)]
    pub log: LogArgs,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the HTTP API: POST /posts and POST /posts/batch
    ///
    /// Also serves GET /healthz, /readyz and /metrics.
    Serve(Serve),
    /// Publish posts from a file, one JSON object per line
    ///
    /// Each line is {"title": "…", "content": "…", "author"?: "…", "id"?: "UUID"}.
    Publish(Publish),
    /// Publish generated posts in English and Chinese, some of them spam or abuse
    Generate(Generate),
    /// Make a token for a sender, and its entry for the file of SLUICE_SENDERS
    ///
    /// The entry goes to stdout, the token to stderr; the token is shown this once, and the file holds only its hash.
    Token(Token),
    /// Shell completions and manual pages.
    #[command(flatten)]
    Reference(Reference),
}

/// Arguments of `sluice-producer publish`.
#[derive(Debug, Args)]
pub struct Publish {
    /// File to read; `-` reads stdin
    pub file: PathBuf,

    /// The broker.
    #[command(flatten)]
    pub broker: BrokerArgs,

    /// Derive the id of each post without one from this key and its line number
    ///
    /// Publishing the same file with the same key again, however the first run ended, creates no second row.
    #[arg(long, value_name = "KEY", value_parser = key)]
    pub key: Option<Key>,

    /// Posts to publish per second [default: as many as possible]
    #[arg(long, value_name = "POSTS", value_parser = rate)]
    pub rate: Option<f64>,

    /// What is common to publishing without HTTP.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Arguments of `sluice-producer generate`.
#[derive(Debug, Args)]
pub struct Generate {
    /// The broker.
    #[command(flatten)]
    pub broker: BrokerArgs,

    /// Number of posts to publish [default: until Ctrl-C]
    #[arg(long, value_name = "POSTS", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,

    /// Posts to publish per second
    #[arg(long, value_name = "POSTS", default_value = "1", value_parser = rate)]
    pub rate: f64,

    /// Seed for the texts: the same number gives the same posts, with new ids
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,

    /// What is common to publishing without HTTP.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Arguments of `sluice-producer token`.
#[derive(Debug, Args)]
pub struct Token {
    /// Name of the sender: 1 to 50 letters, digits, `_`, `-` or `.`
    pub name: SenderName,

    /// Posts that the sender may send per second
    #[arg(long, value_name = "POSTS", default_value = "100", value_parser = rate)]
    pub rate: f64,

    /// Posts that it may send at once after a rest
    #[arg(long, value_name = "POSTS", default_value = "1000")]
    pub burst: u32,

    /// Print one JSON object with the token: {"name", "token", "token_sha256", "rate", "burst"}
    #[arg(long)]
    pub json: bool,
}

/// Arguments common to `sluice-producer publish` and `sluice-producer generate`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Append the id of each confirmed post to this file, one per line
    #[arg(long, value_name = "FILE")]
    pub receipts: Option<PathBuf>,

    /// How long to retry without progress while RabbitMQ is down or full
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub patience: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
