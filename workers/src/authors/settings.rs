//! The settings of strangers.

use std::time::Duration;

use clap::Args;
use sluice_core::config::{ConfigError, duration};

/// The longest time that an author may be new.
const NEW_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Settings of strangers.
#[derive(Debug, Clone, Args)]
pub struct StrangersArgs {
    /// Hold a stranger's post from this share of a category's threshold on, 50 to 99 percent; `off`: read all alike
    ///
    /// A stranger is an author who is new, or of whose posts people rejected more than they approved; also whoever gives
    /// no author.
    #[arg(long, env = "SLUICE_STRANGERS", value_name = "PERCENT", default_value = "85", value_parser = share)]
    pub strangers: Share,

    /// How long an author is new, up to 365d; or until people have approved three posts
    #[arg(long, env = "SLUICE_STRANGERS_NEW", value_name = "TIME", default_value = "1d", value_parser = duration)]
    pub strangers_new: Duration,
}

/// Which share of a threshold holds a stranger's post, in percent; none: all are read alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(pub Option<u32>);

impl StrangersArgs {
    /// Checks what clap cannot.
    ///
    /// # Errors
    /// When an author would be new for too long.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.strangers_new <= NEW_MAX {
            return Ok(());
        }
        Err(ConfigError::new("SLUICE_STRANGERS_NEW", format!("{:?} is more than 365d", self.strangers_new)))
    }
}

fn share(text: &str) -> Result<Share, String> {
    match text.parse() {
        Ok(percent @ 50..=99) => Ok(Share(Some(percent))),
        _ if text == "off" => Ok(Share(None)),
        Ok(_) | Err(_) => Err("a number from 50 to 99, or off".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_or_off_and_nothing_else() {
        for (text, read) in [("50", Some(50)), ("99", Some(99)), ("off", None)] {
            assert_eq!(share(text), Ok(Share(read)), "{text}");
        }
        for wrong in ["", "0", "49", "100", "-3", "80%", "OFF "] {
            assert!(share(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_author_is_new_for_a_year_at_most() {
        for (days, good) in [(0, true), (365, true), (366, false)] {
            let new = Duration::from_secs(days * 24 * 60 * 60);
            let args = StrangersArgs { strangers: Share(None), strangers_new: new };
            assert_eq!(args.check().is_ok(), good, "{days}");
        }
    }
}
