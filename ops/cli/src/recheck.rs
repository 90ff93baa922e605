//! How decisions are checked again: by their posts' authors, who may appeal, and by a second person.

use std::time::Duration;

use clap::Args;
use sluice_core::config::duration;
use sluice_core::moderation::Share;
use sluice_mysql::review::Recheck;

/// The longest time for an appeal: ten years, which fits the column.
const APPEALS_MOST: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// The settings.
#[derive(Debug, Clone, Args)]
pub(crate) struct RecheckArgs {
    /// How long an author may appeal against a rejection; 0s: not at all
    #[arg(long, env = "SLUICE_APPEALS", value_name = "DURATION", default_value = "30d", value_parser = appeals)]
    appeals: Duration,

    /// Share of moderators' decisions that somebody else reviews without seeing them, in per cent
    #[arg(long, env = "SLUICE_SECOND_REVIEWS", value_name = "PERCENT", default_value = "0")]
    second_reviews: Share,
}

impl RecheckArgs {
    /// What follows from a decision.
    pub(crate) fn settings(&self) -> Recheck {
        let appeals = Some(self.appeals).filter(|within| !within.is_zero());
        Recheck { appeals, second_reviews: self.second_reviews }
    }
}

fn appeals(text: &str) -> Result<Duration, String> {
    let within = duration(text)?;
    if within > APPEALS_MOST { Err("at most ten years".to_owned()) } else { Ok(within) }
}
