//! The settings that more than one program takes: flag, else environment, else default.
//!
//! Secrets arrive in URLs. They are kept in [`SecretUrl`], whose text forms never show the password; clap is told
//! neither to show the variables' values in `--help` nor to judge the URLs itself: its complaints would repeat them.

use std::str::FromStr;

use clap::Args;

pub use crate::config_error::ConfigError;
pub use crate::secret_url::SecretUrl;

/// The prefix of every name in RabbitMQ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// The prefix itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=100).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        if fits { Ok(Self(text.to_owned())) } else { Err("1 to 100 letters, digits, `_`, `-` or `.`".to_owned()) }
    }
}

/// Where RabbitMQ is, and the prefix of the names there.
#[derive(Debug, Clone, Args)]
pub struct BrokerArgs {
    /// RabbitMQ URL; `amqps://` for TLS; a cluster's nodes separated by commas: amqp://user:password@a:5672,b:5672/%2f
    #[arg(
        long,
        env = "AMQP_URL",
        hide_env_values = true,
        value_name = "URL",
        default_value = "amqp://guest:guest@127.0.0.1:5672/%2f"
    )]
    pub amqp_url: SecretUrl,

    /// Prefix of the exchange and queue names in RabbitMQ
    #[arg(long, env = "SLUICE_PREFIX", value_name = "NAME", default_value = "post")]
    pub prefix: Prefix,

    /// Refuse new posts (HTTP 503) while the queue holds this many [default: no limit]
    ///
    /// The limit is part of the queue's declaration, so every program must be given the same value.
    #[arg(long, env = "SLUICE_MAX_LENGTH", value_name = "POSTS", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_length: Option<u32>,
}

/// Where MySQL or MariaDB is.
#[derive(Debug, Clone, Args)]
pub struct DatabaseArgs {
    /// MySQL or MariaDB URL with the database name: mysql://user:password@host:3306/name; a cluster's nodes separated by
    /// commas: mysql://user:password@a:3306,b:3306/name
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        default_value = "mysql://root@127.0.0.1:3306/sluice"
    )]
    pub database_url: SecretUrl,
}

/// Both servers, for commands that need the two.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// RabbitMQ.
    #[command(flatten)]
    pub broker: BrokerArgs,
    /// MySQL.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// How to log. `RUST_LOG` selects what to log.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// Format of log lines on stderr
    ///
    /// RUST_LOG selects the lines to log; if it is not set, info and above.
    #[arg(
        long,
        env = "SLUICE_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text",
        global = true,
        // After those of the command itself.
        display_order = 900
    )]
    pub log_format: LogFormat,
}

/// The forms of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Text for people
    Text,
    /// One JSON object per line
    Json,
}

/// Reads a duration such as `250ms`, `10s`, `1m 30s`.
///
/// # Errors
/// What forms are taken.
pub fn duration(text: &str) -> Result<std::time::Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; use a form like 250ms, 10s, 1m 30s, 2h or 1d"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn durations_are_read_with_their_units() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "5", "s", "5 parsecs", "-1s", "99999999999999999999d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_prefix_that_would_confuse_names_is_refused() {
        assert!("post".parse::<Prefix>().is_ok());
        for wrong in ["", "a b", "a/b", "é"] {
            assert!(wrong.parse::<Prefix>().is_err(), "{wrong}");
        }
    }
}
