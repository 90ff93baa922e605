//! The settings that more than one program takes: flag, else environment, else default.
//!
//! Secrets arrive in URLs. They are kept in [`SecretUrl`], whose text forms never show the password, and clap is told
//! neither to show the variables' values in `--help` nor to judge the URLs itself: its complaints would repeat them.

use std::fmt;
use std::str::FromStr;

use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::address;

/// A setting that is wrong: named, with what was found and what would do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {problem}")]
pub struct ConfigError {
    /// The variable's name.
    pub setting: &'static str,
    /// What is wrong with it and what would be right.
    pub problem: String,
}

impl ConfigError {
    /// An error about one setting.
    pub fn new(setting: &'static str, problem: impl Into<String>) -> Self {
        Self { setting, problem: problem.into() }
    }
}

/// A URL that may hold a password. Shown without it, everywhere.
#[derive(Clone)]
pub struct SecretUrl(SecretString);

impl SecretUrl {
    /// The whole URL, password included: only for the library that opens the connection.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Reads it.
    ///
    /// # Errors
    /// When it is no address with one of `schemes`; the complaint names `setting` and shows no secret.
    pub fn parsed(&self, setting: &'static str, schemes: &[&str], example: &str) -> Result<Url, ConfigError> {
        let refused = |problem: String| ConfigError::new(setting, format!("{problem}; use the form {example}"));
        let url = address::read(self.expose()).map_err(refused)?;
        if !schemes.contains(&url.scheme()) {
            return Err(refused(format!("unknown scheme `{}://`", url.scheme())));
        }
        Ok(url)
    }
}

impl From<&str> for SecretUrl {
    fn from(text: &str) -> Self {
        Self(text.to_owned().into())
    }
}

impl FromStr for SecretUrl {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.into())
    }
}

/// Scheme, host and path, without user and password.
impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match address::read(self.expose()) {
            Ok(url) => {
                let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
                write!(f, "{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
            }
            Err(_) => f.write_str("(not a URL)"),
        }
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

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
    /// RabbitMQ URL; `amqps://` for TLS
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
    /// MySQL or MariaDB URL with the database name: mysql://user:password@host:3306/name
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
    fn a_password_is_in_no_text_form() {
        for text in ["amqp://me:hunter2@host:5672/%2f", "amqp://me:hunter2@host/?password=hunter2", "amqp:/hunter2@"] {
            let url = SecretUrl::from(text);
            assert!(!format!("{url} {url:?} {url:#?}").contains("hunter2"), "{url}");
        }
        let complaint = SecretUrl::from("http://me:hunter2@host").parsed("AMQP_URL", &["amqp"], "amqp://host");
        assert!(!format!("{complaint:?}").contains("hunter2"));
    }

    #[test]
    fn a_wrong_url_is_refused_by_the_settings_name() {
        for wrong in ["", "localhost", "http://localhost", "amqp://"] {
            let error = SecretUrl::from(wrong).parsed("AMQP_URL", &["amqp", "amqps"], "amqp://host").expect_err(wrong);
            assert_eq!(error.setting, "AMQP_URL");
            assert!(error.problem.contains("amqp://host"), "{error}");
        }
    }

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
