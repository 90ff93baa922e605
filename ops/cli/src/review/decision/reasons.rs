//! What is said with a decision, and the reasons that it names.

use clap::{Args, ValueEnum};
use sluice_core::config::ConfigError;
use sluice_mysql::review::{Recheck, Ruling};

use crate::policies::{PolicyArgs, ReasonError};
use crate::recheck::RecheckArgs;
use crate::review::desk::person::words;

/// What a person says of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::review) enum Word {
    /// Show the post
    Approve,
    /// Do not show the post
    Reject,
}

impl Word {
    /// The same for the store.
    pub(in crate::review) fn ruling(self) -> Ruling {
        match self {
            Self::Approve => Ruling::Approve,
            Self::Reject => Ruling::Reject,
        }
    }
}

/// The reasons for a decision.
#[derive(Debug, Clone, Args)]
pub(in crate::review) struct ReasonArgs {
    /// Policy that is the reason; repeatable. `sluice review policies` lists them
    #[arg(long = "policy", value_name = "ID")]
    named: Vec<String>,
    /// Text for the author, at most 2000 characters [default: the texts of the policies named]
    #[arg(long, value_name = "TEXT", value_parser = words)]
    message: Option<String>,
    /// Text for the team, at most 2000 characters
    #[arg(long, value_name = "TEXT", value_parser = words)]
    pub(in crate::review) note: Option<String>,
    #[command(flatten)]
    recheck: RecheckArgs,
    #[command(flatten)]
    policies: PolicyArgs,
}

/// Reasons that were found to be in order.
#[derive(Debug, Clone)]
pub(in crate::review) struct Reasons {
    /// The policies that are named.
    pub(in crate::review) named: Vec<String>,
    /// Which file they are of.
    pub(in crate::review) set: Option<String>,
    /// The text for the author.
    pub(in crate::review) message: Option<String>,
    /// How the decision may be checked again.
    pub(in crate::review) recheck: Recheck,
}

impl ReasonArgs {
    /// Holds them against the policies.
    ///
    /// # Errors
    /// What is wrong with them, or with the file.
    pub(in crate::review) fn check(&self, ruling: Ruling) -> Result<Reasons, ConfigError> {
        let policies = self.policies.read()?;
        let wrong = |error: ReasonError| {
            let setting = if matches!(error, ReasonError::TooMuch(_)) { "--policy, --message" } else { "--policy" };
            ConfigError::new(setting, error.to_string())
        };
        let message = policies.check(ruling, &self.named, self.message.as_deref()).map_err(wrong)?;
        Ok(Reasons { named: self.named.clone(), set: policies.set, message, recheck: self.recheck.settings() })
    }
}
