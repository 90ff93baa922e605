//! The settings of the outside reviewer: flag, else environment, else default; as given, and checked.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};
use http::HeaderValue;
use url::Url;

use super::ask::Ask;
use super::breaker::Trip;
use super::key::SecretKey;
use super::merge::Policy;
use sluice_core::config::{ConfigError, SecretUrl, duration};

/// The largest timeout. A post in flight waits at most so long for a slot and then for the answer: far less than the 30
/// minutes after which RabbitMQ takes it back.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(30);
/// The path of the endpoint, if the URL has none.
const PATH: &str = "/v1/moderations";

/// Settings of the outside reviewer.
#[derive(Debug, Clone, Args)]
pub struct ReviewerArgs {
    /// URL of an outside reviewer with OpenAI's moderation endpoint [default: none]
    ///
    /// Without a path, /v1/moderations is appended.
    #[arg(long, env = "SLUICE_REVIEWER_URL", hide_env_values = true, value_name = "URL")]
    pub reviewer_url: Option<SecretUrl>,

    /// Model to ask; the model that answers must be the same
    #[arg(long, env = "SLUICE_REVIEWER_MODEL", value_name = "NAME", default_value = "omni-moderation-2024-09-26")]
    pub reviewer_model: String,

    /// API key, sent as a bearer token
    ///
    /// Every user of the machine can see flags; use the variable or a file instead.
    #[arg(long, env = "SLUICE_REVIEWER_KEY", hide_env_values = true, value_name = "KEY")]
    pub reviewer_key: Option<SecretKey>,

    /// File with the API key, read at start
    #[arg(long, env = "SLUICE_REVIEWER_KEY_FILE", value_name = "FILE", conflicts_with = "reviewer_key")]
    pub reviewer_key_file: Option<PathBuf>,

    /// Posts to ask the reviewer about
    ///
    /// It is never asked about posts that the rules reject.
    #[arg(long, env = "SLUICE_REVIEWER_ASK", value_name = "WHICH", default_value = "near")]
    pub reviewer_ask: Ask,

    /// Percentage of a category's first threshold from which its score counts as near
    #[arg(long, env = "SLUICE_REVIEWER_NEAR", value_name = "PERCENT", default_value_t = 50,
          value_parser = clap::value_parser!(u32).range(1..=100))]
    pub reviewer_near: u32,

    /// Score (0 to 1) from which a flagged post is rejected, not only held [default: never]
    #[arg(long, env = "SLUICE_REVIEWER_REJECT", value_name = "SCORE", value_parser = score)]
    pub reviewer_reject: Option<f64>,

    /// Approve posts that the rules hold and the reviewer does not flag
    #[arg(long, env = "SLUICE_REVIEWER_RELEASE", value_name = "BOOL", default_value_t = false, action = ArgAction::Set)]
    pub reviewer_release: bool,

    /// Longest wait for an answer, and before that for a free slot; at most 30s
    #[arg(long, env = "SLUICE_REVIEWER_TIMEOUT", value_name = "TIME", default_value = "3s", value_parser = duration)]
    pub reviewer_timeout: Duration,

    /// Concurrent requests per process
    #[arg(long, env = "SLUICE_REVIEWER_CONCURRENCY", value_name = "N", default_value_t = 4,
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub reviewer_concurrency: u16,

    /// Failures in a row after which the reviewer is not asked for a while
    #[arg(long, env = "SLUICE_REVIEWER_TRIP", value_name = "N", default_value_t = 5,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub reviewer_trip: u32,

    /// How long the reviewer is not asked after --reviewer-trip failures
    ///
    /// Then one request shows whether it is back.
    #[arg(long, env = "SLUICE_REVIEWER_REST", value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub reviewer_rest: Duration,
}

fn score(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(score) if (0.0..=1.0).contains(&score) => Ok(score),
        Ok(_) | Err(_) => Err("a number from 0 to 1, like 0.9".to_owned()),
    }
}

/// The settings, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(super) endpoint: Url,
    pub(super) model: String,
    /// The header, marked as sensitive.
    pub(super) authorization: Option<HeaderValue>,
    pub(super) ask: Ask,
    pub(super) near: u32,
    pub(super) policy: Policy,
    pub(super) timeout: Duration,
    pub(super) concurrency: u16,
    pub(super) trip: Trip,
}

impl ReviewerArgs {
    /// Checks them. `None`: there is no outside reviewer.
    ///
    /// # Errors
    /// The setting that is wrong, without any secret.
    pub fn settings(&self) -> Result<Option<Settings>, ConfigError> {
        let Some(url) = &self.reviewer_url else { return Ok(None) };
        if self.reviewer_timeout.is_zero() || self.reviewer_timeout > LONGEST_TIMEOUT {
            let problem = format!("{:?}: more than 0, and at most {LONGEST_TIMEOUT:?}", self.reviewer_timeout);
            return Err(ConfigError::new("SLUICE_REVIEWER_TIMEOUT", problem));
        }
        if self.reviewer_model.is_empty() || self.reviewer_model.len() > 64 {
            return Err(ConfigError::new("SLUICE_REVIEWER_MODEL", "1 to 64 bytes"));
        }
        Ok(Some(Settings {
            endpoint: endpoint(url)?,
            model: self.reviewer_model.clone(),
            authorization: self.authorization()?,
            ask: self.reviewer_ask,
            near: self.reviewer_near,
            policy: Policy { reject: self.reviewer_reject, release: self.reviewer_release },
            timeout: self.reviewer_timeout,
            concurrency: self.reviewer_concurrency,
            trip: Trip { failures: self.reviewer_trip, rest: self.reviewer_rest },
        }))
    }

    fn authorization(&self) -> Result<Option<HeaderValue>, ConfigError> {
        match (&self.reviewer_key, &self.reviewer_key_file) {
            (Some(key), _) => key.bearer("SLUICE_REVIEWER_KEY").map(Some),
            (None, Some(file)) => SecretKey::in_file(file)?.bearer("SLUICE_REVIEWER_KEY_FILE").map(Some),
            (None, None) => Ok(None),
        }
    }
}

fn endpoint(url: &SecretUrl) -> Result<Url, ConfigError> {
    const SETTING: &str = "SLUICE_REVIEWER_URL";
    let mut endpoint = url.parsed(SETTING, &["http", "https"], "https://api.openai.com")?;
    if !endpoint.username().is_empty() || endpoint.password().is_some() {
        let problem = "no user or password in it; a key goes into SLUICE_REVIEWER_KEY or a file";
        return Err(ConfigError::new(SETTING, problem));
    }
    if endpoint.path() == "/" {
        endpoint.set_path(PATH);
    }
    Ok(endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use std::io::Write as _;

    #[derive(Debug, Parser)]
    #[command(args_override_self = true)]
    struct Line {
        #[command(flatten)]
        reviewer: ReviewerArgs,
    }

    fn settings(args: &[&str]) -> Result<Option<Settings>, ConfigError> {
        let line = Line::try_parse_from([&["test"], args].concat()).expect("clap takes it");
        line.reviewer.settings()
    }

    fn refused(args: &[&str]) -> &'static str {
        settings(&[&["--reviewer-url", "http://host"], args].concat()).expect_err("it is refused").setting
    }

    #[test]
    fn without_an_address_nobody_is_asked() {
        assert!(settings(&["--reviewer-model", "m"]).is_ok_and(|settings| settings.is_none()));
    }

    #[test]
    fn a_path_is_added_only_where_there_is_none() {
        for (given, asked) in [
            ("https://host", "https://host/v1/moderations"),
            ("http://host:8080/", "http://host:8080/v1/moderations"),
            ("https://host/mod?v=2", "https://host/mod?v=2"),
        ] {
            let settings = settings(&["--reviewer-url", given]).expect("valid").expect("an address");
            assert_eq!(settings.endpoint.as_str(), asked);
        }
    }

    #[test]
    fn wrong_settings_are_refused_by_name() {
        assert_eq!(refused(&["--reviewer-url", "ftp://host"]), "SLUICE_REVIEWER_URL");
        assert_eq!(refused(&["--reviewer-url", "https://me:hunter2@host"]), "SLUICE_REVIEWER_URL");
        assert_eq!(refused(&["--reviewer-timeout", "31s"]), "SLUICE_REVIEWER_TIMEOUT");
        assert_eq!(refused(&["--reviewer-timeout", "0s"]), "SLUICE_REVIEWER_TIMEOUT");
        assert_eq!(refused(&["--reviewer-key", ""]), "SLUICE_REVIEWER_KEY");
        assert_eq!(refused(&["--reviewer-key", "a\nb"]), "SLUICE_REVIEWER_KEY");
        assert_eq!(refused(&["--reviewer-key-file", "/nowhere/key"]), "SLUICE_REVIEWER_KEY_FILE");
        for wrong in ["1.1", "-0.1", "NaN", "much"] {
            assert!(Line::try_parse_from(["test", &format!("--reviewer-reject={wrong}")]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_in_no_text_form() {
        let args = ["test", "--reviewer-url", "http://host", "--reviewer-key", "hunter2"];
        let line = Line::try_parse_from(args).expect("valid");
        let settings = line.reviewer.settings().expect("valid").expect("an address");
        assert!(!format!("{line:?} {settings:?} {settings:#?}").contains("hunter2"));
        let complaint = settings_of("hun\u{7f}ter2").expect_err("it is no key");
        assert!(!format!("{complaint} {complaint:?}").contains("ter2"));
    }

    fn settings_of(key: &str) -> Result<Option<Settings>, ConfigError> {
        settings(&["--reviewer-url", "http://host", "--reviewer-key", key])
    }

    #[test]
    fn a_key_in_a_file_may_end_with_its_line() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        writeln!(file, "hunter2").expect("it can be written");
        let path = file.path().to_str().expect("a name in UTF-8");
        let settings = settings(&["--reviewer-url", "http://host", "--reviewer-key-file", path]);
        let header = settings.expect("valid").expect("an address").authorization.expect("a key");
        assert_eq!(header.to_str().expect("ASCII"), "Bearer hunter2");
    }
}
