//! TOML files of settings that may hold secrets: what is wrong with them is said by line, and never by what stands
//! there.

use std::path::Path;

use serde::de::DeserializeOwned;
use sluice_core::config::ConfigError;
use sluice_core::visible::cut;

/// The most bytes of a file.
const FILE_MAX_BYTES: u64 = 1024 * 1024;

/// Reads a file's text.
///
/// # Errors
/// The system's, or that it is too large or no UTF-8.
pub fn read(path: &Path) -> Result<String, String> {
    let bytes = crate::regular::read(path, FILE_MAX_BYTES).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

/// A setting that names a file in which something is wrong.
#[must_use]
pub fn wrong(setting: &'static str, path: &Path, problem: &str) -> ConfigError {
    ConfigError::new(setting, format!("{}: {problem}", cut(&path.display().to_string(), 200)))
}

/// Parses it.
///
/// # Errors
/// What is wrong, with the line. Not the library's own form of it, which quotes the line.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| match error.span() {
        Some(span) => format!("line {}: {}", line(text, span.start), error.message()),
        None => error.message().to_owned(),
    })
}

/// The line, from 1, of a place in a text.
#[must_use]
pub fn line(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}
