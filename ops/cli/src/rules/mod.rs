//! `sluice rules`: the rules of the review, tried by hand before a worker has them.
//!
//! ```text
//!  check     one file: errors by line and column, or valid, with warnings
//!  explain   one text: which rules match where, and the verdict
//!  eval      accuracy: on texts with expected verdicts
//!  compare   a changed file against the rules in force, on what people decided
//!  fit       weights and thresholds, proposed from such texts
//!  learn     a scorer, from such texts or from people's decisions
//! ```
//!
//! None of this needs a server or changes anything, but for `learn`: it may read decisions from MySQL, and writes a file
//! if it is told where.

mod check;
mod compare;
mod comparison;
mod eval;
mod explain;
mod figures;
mod findings;
mod fit;
mod learn;
mod outcome;
mod rates;
mod row;
mod scorecard;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use sluice_review::{Judge, Mistakes, RuleSet, Scorer};
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
    /// List the decisions that a changed rules file would turn
    ///
    /// Reviews texts that people decided about by the rules in force and by a candidate, and shows where their verdicts
    /// differ. A decision is turned if the candidate approves by itself what people rejected, or rejects what they
    /// approved. Nothing is changed.
    Compare(compare::CompareArgs),
    /// Propose weights and thresholds from texts with known verdicts
    ///
    /// The proposal finds as many of the texts to be flagged as it can, with no more false alarms than wanted. What to
    /// expect of it is counted by folds. No file is changed.
    Fit(fit::FitArgs),
    /// Learn a scorer from people's decisions, or from texts with known verdicts
    ///
    /// A worker with the scorer's file (SLUICE_SCORER) holds posts that look like those that people rejected. What to
    /// expect of it is counted by folds; until that is good enough, it runs in shadow. At least 20 texts of each class
    /// are needed, and none may be in both.
    Learn(Box<learn::LearnArgs>),
}

/// Which rules to use.
#[derive(Debug, Args)]
struct RulesFile {
    /// Rules file (TOML) for the review [default: built-in rules]
    #[arg(long, env = "SLUICE_RULES", value_name = "FILE")]
    rules: Option<PathBuf>,
}

impl RulesFile {
    fn load(&self) -> Result<RuleSet, Mistakes> {
        self.rules.as_deref().map_or_else(|| Ok(RuleSet::builtin()), RuleSet::load)
    }
}

/// Which rules and which scorer to use.
#[derive(Debug, Args)]
struct Chosen {
    #[command(flatten)]
    rules: RulesFile,
    /// Scorer file that `sluice rules learn` wrote [default: none]
    #[arg(long, env = "SLUICE_SCORER", value_name = "FILE")]
    scorer: Option<PathBuf>,
}

impl Chosen {
    fn load(&self) -> anyhow::Result<Judge> {
        let scorer = self.scorer.as_deref().map(Scorer::load).transpose()?;
        Ok(Judge::new(Arc::new(self.rules.load()?), scorer.map(Arc::new)))
    }
}

/// Does it.
///
/// # Errors
/// When a file or the database cannot be read, rules or texts are refused, or stdout or a file cannot be written.
pub async fn run(args: &RulesArgs) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Check(args) => check::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Fit(args) => fit::run(args),
        Command::Learn(args) => learn::run(args).await,
    }
}
