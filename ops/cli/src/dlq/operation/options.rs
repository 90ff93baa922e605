//! The options of a replay.

use std::path::PathBuf;

use clap::Args;
use sluice_rabbit::dead_letters::DeadLetter;

use crate::numbers::{count, percent};

/// Options of `sluice dlq replay` alone.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReplayOptions {
    /// Replay N dead letters first, and continue only if few of them fail again
    ///
    /// Waits until the outcome of each is known. --abort-over sets how many may fail.
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) canary: Option<u32>,
    /// Maximum share of the canary that may fail again, in percent
    #[arg(long, value_name = "PERCENT", requires = "canary", default_value = "10", value_parser = percent)]
    pub(crate) abort_over: f64,
    /// Wait until the outcome of each dead letter is known; exit with 3 if any failed again
    #[arg(long)]
    pub(crate) wait: bool,
    /// Leave a dead letter in the queue if it was replayed N times or more
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = count)]
    pub(crate) max_replays: u32,
    /// Predict the outcome of the replay without replaying
    ///
    /// Shows what would be replayed, and the outcome with the current rules and the current table in MySQL.
    #[arg(long, conflicts_with_all = ["dry_run", "wait"])]
    pub(crate) plan: bool,
    /// Rules file (TOML) for the review [default: built-in rules]
    ///
    /// Used to predict outcomes for --plan, --dry-run and the confirmation prompt.
    #[arg(long, env = "SLUICE_RULES", value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
    /// Replay dead letters regardless of how often they were replayed before
    #[arg(long, conflicts_with = "max_replays")]
    pub(crate) force: bool,
}

impl ReplayOptions {
    /// Why a dead letter is not replayed.
    pub(crate) fn refusal(&self, dead_letter: &DeadLetter) -> Option<String> {
        let replays = dead_letter.summary.replays;
        let times = if replays == 1 { "once".to_owned() } else { format!("{replays} times") };
        let too_often = !self.force && replays >= self.max_replays;
        too_often.then(|| {
            format!("its header says that it was already replayed {times}; find out why it fails, or use --force")
        })
    }
}
