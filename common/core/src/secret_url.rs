//! Addresses that may hold a password.

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::config_error::ConfigError;
use crate::{address, nodes};

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
        let url = address::read(self.expose()).and_then(|url| of_scheme(url, schemes));
        url.map_err(|problem| ConfigError::of_form(setting, &problem, example))
    }

    /// Reads it where it may list the nodes of a cluster ([`nodes::read`]); gives an address for each.
    ///
    /// # Errors
    /// As [`Self::parsed`].
    pub fn nodes(&self, setting: &'static str, schemes: &[&str], example: &str) -> Result<Vec<Url>, ConfigError> {
        let urls = nodes::read(self.expose());
        let urls = urls.and_then(|urls| urls.into_iter().map(|url| of_scheme(url, schemes)).collect());
        urls.map_err(|problem| ConfigError::of_form(setting, &problem, example))
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

fn of_scheme(url: Url, schemes: &[&str]) -> Result<Url, String> {
    if schemes.contains(&url.scheme()) { Ok(url) } else { Err(format!("unknown scheme `{}://`", url.scheme())) }
}

/// Scheme, hosts and path, without user and password.
impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(urls) = nodes::read(self.expose()) else { return f.write_str("(not a URL)") };
        for (place, url) in urls.iter().enumerate() {
            let before = if place == 0 { format!("{}://", url.scheme()) } else { ",".to_owned() };
            let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
            write!(f, "{before}{}{port}", url.host_str().unwrap_or_default())?;
        }
        f.write_str(urls.first().map_or("", Url::path))
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
