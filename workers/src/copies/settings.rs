//! The settings of near copies.

use std::time::Duration;

use clap::Args;
use sluice_core::config::{ConfigError, duration};
use sluice_review::copies::ENOUGH;

/// The shortest and the longest window.
const WINDOW: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(24 * 60 * 60));

/// Settings of near copies.
#[derive(Debug, Clone, Args)]
pub struct CopiesArgs {
    /// Hold a post from the N-th near copy of a text on, 2 to 100; `off`: never
    ///
    /// All posts of the last --copies-window count, whoever wrote them and whichever worker process reviewed them, if
    /// they have 60 characters of their own besides blanks and signs, of which a Chinese one counts for three.
    #[arg(long, env = "SLUICE_COPIES", value_name = "N", default_value = "10", value_parser = limit)]
    pub copies: Limit,

    /// How long a post counts as a near copy of later ones, 1s to 1d
    #[arg(long, env = "SLUICE_COPIES_WINDOW", value_name = "TIME", default_value = "1h", value_parser = duration)]
    pub copies_window: Duration,
}

/// From which near copy on posts are held; none: never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub Option<usize>);

impl CopiesArgs {
    /// Checks what clap cannot.
    ///
    /// # Errors
    /// When the window is too short or too long.
    pub fn check(&self) -> Result<(), ConfigError> {
        let (shortest, longest) = WINDOW;
        if (shortest..=longest).contains(&self.copies_window) {
            return Ok(());
        }
        Err(ConfigError::new("SLUICE_COPIES_WINDOW", format!("{:?} is not from 1s to 1d", self.copies_window)))
    }
}

fn limit(text: &str) -> Result<Limit, String> {
    match text.parse() {
        Ok(posts) if (2..=ENOUGH).contains(&posts) => Ok(Limit(Some(posts))),
        _ if text == "off" => Ok(Limit(None)),
        Ok(_) | Err(_) => Err(format!("a number from 2 to {ENOUGH}, or off")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_off_and_nothing_else() {
        for (text, read) in [("2", Some(2)), ("100", Some(100)), ("off", None)] {
            assert_eq!(limit(text), Ok(Limit(read)), "{text}");
        }
        for wrong in ["", "0", "1", "101", "-3", "never", "OFF "] {
            assert!(limit(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_window_from_a_second_to_a_day() {
        for (seconds, good) in [(0, false), (1, true), (86_400, true), (86_401, false)] {
            let args = CopiesArgs { copies: Limit(None), copies_window: Duration::from_secs(seconds) };
            assert_eq!(args.check().is_ok(), good, "{seconds}");
        }
    }
}
