//! The settings of `sluice console`: flag, else environment, else default.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use sluice_core::config::{ConfigError, ServerArgs, duration};
use sluice_runtime::health;

use super::sender::Waits;
use crate::policies::{AppealArgs, PolicyArgs};

/// The longest delay of a decision.
const DELAY_MOST: Duration = Duration::from_secs(24 * 3600);

/// Arguments of `sluice console`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The servers. RabbitMQ is only needed where the exchange is an endpoint.
    #[command(flatten)]
    pub(super) servers: ServerArgs,

    /// Address to listen on
    #[arg(long, env = "SLUICE_CONSOLE_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8082", value_parser = health::address)]
    pub(super) listen: SocketAddr,

    /// TOML file of clients that may use the API; reread when it changes [default: none]
    ///
    /// Without it, the console listens on loopback only and prints one token at start that may do everything. `sluice
    /// console token` makes the entries.
    #[arg(long, env = "SLUICE_ACCOUNTS", value_name = "FILE")]
    pub(super) accounts: Option<PathBuf>,

    /// The policies.
    #[command(flatten)]
    pub(super) policies: PolicyArgs,

    /// TOML file of endpoints that decisions are sent to, read at start [default: none]
    #[arg(long, env = "SLUICE_ENDPOINTS", value_name = "FILE")]
    pub(super) endpoints: Option<PathBuf>,

    /// How old a decision has to be to be told
    ///
    /// An undo within this time reaches the forum together with what it undoes, in order.
    #[arg(long, env = "SLUICE_DECISION_DELAY", value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(super) decision_delay: Duration,

    /// Appeals.
    #[command(flatten)]
    pub(super) appeals: AppealArgs,

    /// The waits after tries that failed, for tests: nobody waits for hours there.
    #[arg(long, env = "SLUICE_DECISION_WAITS", hide = true)]
    pub(super) decision_waits: Option<Waits>,
}

impl ServeArgs {
    /// Checks the settings that depend on each other, or have bounds.
    ///
    /// # Errors
    /// Which one is wrong, and what to do.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.accounts.is_none() && !self.listen.ip().is_loopback() {
            let problem = format!(
                "{} is no loopback address, and without SLUICE_ACCOUNTS anybody who reaches it could try; name a file of \
                 clients in SLUICE_ACCOUNTS (`sluice console token` makes its entries), or listen on 127.0.0.1",
                self.listen
            );
            return Err(ConfigError::new("SLUICE_CONSOLE_LISTEN", problem));
        }
        if self.decision_delay > DELAY_MOST {
            let problem = format!("{:?} is more than {DELAY_MOST:?}", self.decision_delay);
            return Err(ConfigError::new("SLUICE_DECISION_DELAY", problem));
        }
        Ok(())
    }
}
