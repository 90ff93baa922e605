//! The names of people and of programs that talk to Sluice: they stand in files of settings, in logs, and beside what
//! these people and programs did.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest name, in characters.
pub const MAX_CHARS: usize = 50;

/// The header of a message with the name of the sender whose token came with the post. RabbitMQ verifies no header, so
/// it is a claim of whoever may publish.
pub const SENDER_HEADER: &str = "sluice-sender";

/// Whether a person or a program may be called so.
///
/// # Errors
/// What is taken.
pub fn check(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    match (1..=MAX_CHARS).contains(&name.len()) && name.chars().all(fits) {
        true => Ok(()),
        false => Err(format!("the name has to be 1 to {MAX_CHARS} letters, digits, `_`, `-` or `.`")),
    }
}

/// The name of a sender: a program that may send posts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SenderName(String);

impl SenderName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SenderName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        check(text).map(|()| Self(text.to_owned()))
    }
}

impl TryFrom<String> for SenderName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<SenderName> for String {
    fn from(name: SenderName) -> Self {
        name.0
    }
}

impl fmt::Display for SenderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_sign_that_a_log_or_a_file_could_mistake() {
        for good in ["a", "forum", "forum-2.example_org", &"x".repeat(MAX_CHARS)] {
            assert_eq!(good.parse::<SenderName>().map(|name| name.to_string()), Ok(good.to_owned()));
        }
        for wrong in ["", " ", "a b", "a/b", "a\nb", "é", "\"", &"x".repeat(MAX_CHARS + 1)] {
            assert!(wrong.parse::<SenderName>().is_err(), "{wrong}");
        }
    }
}
