//! The settings of `sluice-producer serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use sluice_core::config::{BrokerArgs, ConfigError};
use sluice_runtime::health;

use super::values::{bytes, connections};

/// Arguments of `sluice-producer serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// The broker.
    #[command(flatten)]
    pub broker: BrokerArgs,

    /// Address to listen on
    #[arg(long, env = "SLUICE_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8081", value_parser = health::address)]
    pub listen: SocketAddr,

    /// TOML file of senders, whose tokens posts need; reread when it changes [default: none, anybody may post]
    ///
    /// `sluice-producer token` makes the entries. Without it, the producer listens on loopback only, unless it is told
    /// to with --open.
    #[arg(long, env = "SLUICE_SENDERS", value_name = "FILE")]
    pub senders: Option<PathBuf>,

    /// Take posts from anybody who reaches an address that is not loopback
    #[arg(long, conflicts_with = "senders")]
    pub open: bool,

    /// Append the id of each accepted post to this file, one per line; opened again on SIGHUP [default: none]
    ///
    /// `sluice verify --receipts` compares it with the queues and the rows. A disk that is full delays no post.
    #[arg(long, env = "SLUICE_RECEIPTS", value_name = "FILE")]
    pub receipts: Option<PathBuf>,

    /// Address to serve /readyz and /metrics on instead, and /healthz as well [default: that of --listen]
    #[arg(long, env = "SLUICE_HEALTH_LISTEN", value_name = "ADDRESS", value_parser = health::address)]
    pub health_listen: Option<SocketAddr>,

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
    /// When a body of the largest size would never fit, or anybody could post from elsewhere and nobody has said that
    /// they may.
    pub fn check(&self) -> Result<(), ConfigError> {
        if !self.listen.ip().is_loopback() && self.senders.is_none() && !self.open {
            let problem = format!(
                "{} is no loopback address, and without senders anybody who reaches it may post; name a file of senders \
                 in SLUICE_SENDERS (`sluice-producer token` makes its entries), or say --open if that is meant",
                self.listen
            );
            return Err(ConfigError::new("SLUICE_LISTEN", problem));
        }
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
