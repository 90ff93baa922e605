//! `sluice rules`: the rules of the review, tried by hand before a worker has them.
//!
//! ```text
//!  check     one file: errors by line and column, or valid, with warnings
//!  explain   one text: which rules match where, and the verdict
//!  eval      accuracy: on texts with expected verdicts
//!  fit       weights and thresholds, proposed from such texts
//! ```
//!
//! None of this needs a server or changes anything.

mod check;
mod eval;
mod explain;
mod figures;
mod findings;
mod fit;
mod outcome;
mod row;
mod scorecard;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use sluice_review::{Mistakes, RuleSet};
use sluice_runtime::exit::Exit;

/// Arguments of `sluice rules`.
#[derive(Debug, Args)]
pub struct RulesArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Validate a rules file and warn about rules that can never match
    ///
    /// Errors and warnings are reported by line and column.
    Check(check::CheckArgs),
    /// Show which rules match in one text, where and why, and the verdict
    Explain(explain::ExplainArgs),
    /// Measure how good the rules are on texts with known verdicts
    ///
    /// Counts how many of the texts get the expected result.
    Eval(eval::EvalArgs),
    /// Propose weights and thresholds from texts with known verdicts
    ///
    /// The proposal finds as many of the texts to be flagged as it can, with no more false alarms than wanted. What to
    /// expect of it is counted by folds. No file is changed.
    Fit(fit::FitArgs),
}

/// Which rules to use.
#[derive(Debug, Args)]
struct Chosen {
    /// Rules file (TOML) for the review [default: built-in rules]
    #[arg(long, env = "SLUICE_RULES", value_name = "FILE")]
    rules: Option<PathBuf>,
}

impl Chosen {
    fn load(&self) -> Result<RuleSet, Mistakes> {
        self.rules.as_deref().map_or_else(|| Ok(RuleSet::builtin()), RuleSet::load)
    }
}

/// Does it.
///
/// # Errors
/// When a file cannot be read, the rules are refused, or stdout cannot be written.
pub fn run(args: &RulesArgs) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Check(args) => check::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Fit(args) => fit::run(args),
    }
}
