//! The key of the outside reviewer.

use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;

use http::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};

use sluice_core::config::ConfigError;

/// A key that no text or debug form shows.
#[derive(Clone)]
pub struct SecretKey(SecretString);

impl FromStr for SecretKey {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.trim().into()))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a key)")
    }
}

impl SecretKey {
    pub(super) fn in_file(file: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(file)
            .map_err(|error| ConfigError::new("SLUICE_REVIEWER_KEY_FILE", format!("{}: {error}", file.display())))?;
        Ok(Self(text.trim().into()))
    }

    /// The header `authorization`, marked as sensitive. `setting` is where the key is from.
    pub(super) fn bearer(&self, setting: &'static str) -> Result<HeaderValue, ConfigError> {
        let wrong = || ConfigError::new(setting, "a key is one line of visible ASCII characters");
        let key = self.0.expose_secret();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong());
        }
        let mut header = HeaderValue::try_from(format!("Bearer {key}")).map_err(|_| wrong())?;
        header.set_sensitive(true);
        Ok(header)
    }
}
