//! The options of a replay.

use std::path::PathBuf;

use clap::Args;
use sluice_rabbit::dead_letters::DeadLetter;

use crate::numbers::{count, percent};

/// With how much care dead letters are replayed.
#[derive(Debug, Clone, Args)]
pub(super) struct ReplayOptions {
    /// Replay so many first, wait until it is known what became of them, and go on only if few of them failed again
    #[arg(long, value_name = "N", value_parser = count)]
    pub(super) canary: Option<u32>,
    /// How many of the canary may fail again, in percent
    #[arg(long, value_name = "PERCENT", requires = "canary", default_value = "10", value_parser = percent)]
    pub(super) abort_over: f64,
    /// Stay until it is known what became of each dead letter; ends with 3 if any failed again
    #[arg(long)]
    pub(super) wait: bool,
    /// Leave a dead letter where it is that was replayed so often already
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = count)]
    pub(super) max_replays: u32,
    /// Say what would be done and what would become of it by today's rules and today's table, and do nothing
    #[arg(long, conflicts_with_all = ["dry_run", "wait"])]
    pub(super) plan: bool,
    /// The rules that a plan asks for its verdicts, a TOML file [default: built-in rules]
    #[arg(long, env = "SLUICE_RULES", value_name = "FILE")]
    pub(super) rules: Option<PathBuf>,
    /// Replay dead letters however often they were replayed before
    #[arg(long, conflicts_with = "max_replays")]
    pub(super) force: bool,
}

impl ReplayOptions {
    /// Why a dead letter is not replayed.
    pub(super) fn refusal(&self, dead_letter: &DeadLetter) -> Option<String> {
        let replays = dead_letter.summary.replays;
        let times = if replays == 1 { "once".to_owned() } else { format!("{replays} times") };
        let too_often = !self.force && replays >= self.max_replays;
        too_often.then(|| format!("it says that it was replayed {times} already; look why it dies, or say --force"))
    }
}
