//! The settings of `sluice console`: flag, else environment, else default.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use sluice_core::config::{ConfigError, ServerArgs, duration};
use sluice_runtime::health;

use super::pages::{Hosts, HostsArg, SessionKey};
use super::sender::Waits;
use crate::policies::PolicyArgs;
use crate::recheck::RecheckArgs;

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

    /// TOML file of clients of the API and people who use the pages; reread when it changes [default: none]
    ///
    /// Without it, the console listens on loopback only, and prints at start one token that may do everything and a
    /// link that lets one person in. `sluice console token` and `sluice console account` make the entries.
    #[arg(long, env = "SLUICE_ACCOUNTS", value_name = "FILE")]
    pub(super) accounts: Option<PathBuf>,

    /// Addresses under which people open the pages, such as `https://console.example`; separated by commas
    ///
    /// Requests for other names are refused; localhost and bare IP addresses are always served. With https, cookies are
    /// only sent over TLS.
    #[arg(long, env = "SLUICE_CONSOLE_URL", value_name = "URL", value_delimiter = ',', value_parser = Hosts::parse)]
    pub(super) url: Vec<HostsArg>,

    /// What sessions are signed with: the base64 of at least 32 bytes [default: drawn at start]
    ///
    /// Give all consoles behind one address the same. Without it, sessions end when the console does.
    #[arg(long, env = "SLUICE_SESSION_KEY", value_name = "KEY", hide_env_values = true, value_parser = SessionKey::parse)]
    pub(super) session_key: Option<SessionKey>,

    /// The policies.
    #[command(flatten)]
    pub(super) policies: PolicyArgs,

    /// Rules file (TOML) by which the outcome of a replay is predicted on the pages [default: built-in rules]
    #[arg(long, env = "SLUICE_RULES", value_name = "FILE")]
    pub(super) rules: Option<PathBuf>,

    /// TOML file of endpoints that decisions are sent to, read at start [default: none]
    #[arg(long, env = "SLUICE_ENDPOINTS", value_name = "FILE")]
    pub(super) endpoints: Option<PathBuf>,

    /// How old a decision has to be to be told
    ///
    /// An undo within this time reaches the forum together with what it undoes, in order.
    #[arg(long, env = "SLUICE_DECISION_DELAY", value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(super) decision_delay: Duration,

    /// Appeals and second reviews.
    #[command(flatten)]
    pub(super) recheck: RecheckArgs,

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
                 accounts in SLUICE_ACCOUNTS (`sluice console account` and `token` make its entries), or listen on 127.0.0.1",
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
