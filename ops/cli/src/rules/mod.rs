//! `sluice rules`: the rules of the review, tried by hand before a worker has them.
//!
//! ```text
//!  check     one file: refused by line and column, or valid, with what is odd about it
//!  explain   one text: what was found where, and what follows
//!  eval      how good: rows of text with what they should get, counted
//! ```
//!
//! None of this asks a server, and none changes anything.

mod check;
mod eval;
mod explain;
mod figures;
mod findings;
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
    /// Show what the rules find in one text, where and why, and the verdict
    Explain(explain::ExplainArgs),
    /// Measure how good the rules are on texts with known verdicts
    ///
    /// Counts how many of the texts get the result that they should.
    Eval(eval::EvalArgs),
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
    }
}
