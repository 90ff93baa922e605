//! The command line: every setting with its variable and its default. A flag takes precedence over its variable.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use clap::{Args, Parser, Subcommand};
use sluice_core::config::{BrokerArgs, ConfigError, LogArgs, duration};
use sluice_runtime::command_line::Reference;
use sluice_runtime::health;

use crate::submit::Key;

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
    /// Shell completions and manual pages.
    #[command(flatten)]
    Reference(Reference),
}

/// Arguments of `sluice-producer serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// The broker.
    #[command(flatten)]
    pub broker: BrokerArgs,

    /// Address to listen on
    #[arg(long, env = "SLUICE_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8081", value_parser = health::address)]
    pub listen: SocketAddr,

    /// Largest body of a post, and longest line of a batch
    #[arg(long, env = "SLUICE_MAX_BODY", value_name = "BYTES", default_value = "1MiB", value_parser = bytes)]
    pub max_body: usize,

    /// Largest body of a batch
    #[arg(long, env = "SLUICE_MAX_BATCH", value_name = "BYTES", default_value = "64MiB", value_parser = bytes)]
    pub max_batch: usize,

    /// Maximum number of open connections
    ///
    /// At the limit, the connection that has been idle the longest is closed to make room.
    #[arg(long, env = "SLUICE_MAX_CONNECTIONS", value_name = "NUMBER", default_value = "10000", value_parser = connections)]
    pub max_connections: usize,

    /// Maximum total size of request bodies and responses in flight
    ///
    /// Beyond that, posts get 503. Must be at least four times the largest body of a post.
    #[arg(long, env = "SLUICE_MEMORY", value_name = "BYTES", default_value = "64MiB", value_parser = bytes)]
    pub memory: usize,
}

/// The least memory that a batch needs, in bytes.
const MEMORY_MIN: usize = 1024 * 1024;

impl Serve {
    /// Checks the settings that depend on each other.
    ///
    /// # Errors
    /// When a body of the largest size would never fit.
    pub fn check(&self) -> Result<(), ConfigError> {
        let least = self.max_body.saturating_mul(4).max(MEMORY_MIN);
        if self.memory >= least {
            return Ok(());
        }
        let problem = format!(
            "{} bytes are too few for posts of up to {} bytes (SLUICE_MAX_BODY); set at least {least}",
            self.memory, self.max_body
        );
        Err(ConfigError::new("SLUICE_MEMORY", problem))
    }
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

/// Reads a size: `1048576`, `512KiB`, `64MiB`.
fn bytes(text: &str) -> Result<usize, String> {
    let size = text.parse::<ByteSize>().ok().and_then(|size| usize::try_from(size.as_u64()).ok());
    size.filter(|size| *size > 0).ok_or_else(|| "a number of bytes, like 1048576, 512KiB or 64MiB".to_owned())
}

/// Reads a number of connections.
fn connections(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=1_000_000).contains(number));
    number.ok_or_else(|| "a number of connections, from 1 to 1000000".to_owned())
}

/// Reads a key.
fn key(text: &str) -> Result<Key, String> {
    Key::read(text.as_bytes()).map_err(|fault| fault.problem)
}

/// Reads a rate in posts a second.
fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.001..=1_000_000.0).contains(&rate) => Ok(rate),
        _ => Err("a number of posts per second, from 0.001 to 1000000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(bytes("17"), Ok(17));
        assert_eq!(bytes("512KiB"), Ok(512 * 1024));
        assert_eq!(bytes("64MiB"), Ok(64 * 1024 * 1024));
        for wrong in ["", "0", "MiB", "-1", "much", "99999999999999999999"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_rate_is_a_number_that_a_clock_can_keep() {
        assert_eq!(rate("0.5"), Ok(0.5));
        for wrong in ["", "0", "-1", "NaN", "inf", "fast", "1e12"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}
