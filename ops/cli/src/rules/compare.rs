//! `sluice rules compare`: a changed rules file against the rules in force, on what people decided. It changes nothing.
//!
//! ```text
//!  FILE.jsonl ──row by row──┬─► the rules in force ─┐
//!                           └─► the candidate ──────┴─► where they differ: counted and listed
//! ```

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use sluice_review::{Checked, RuleSet};
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};

use super::Chosen;
use super::comparison::Comparison;
use super::row::{Row, each, open, report_bad};
use crate::visible::line;

/// Arguments of `sluice rules compare`.
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// Files with one JSON object per line, as `sluice review export` prints them; `-` reads stdin
    ///
    /// Each line is {"text", "expect": "flag" if people rejected it, "clean" if they approved it}, optionally with "title"
    /// and "post", its id.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Changed rules file (TOML), whose own tests have to pass
    #[arg(long, value_name = "FILE")]
    candidate: PathBuf,
    #[command(flatten)]
    chosen: Chosen,
    /// List at most N decisions per file that would be turned, and as many others
    #[arg(long, value_name = "N", default_value_t = 20, conflicts_with = "json")]
    shown: usize,
    /// Print one JSON object per file, one per line
    ///
    /// Keys: file, ruleset, candidate, tests (how many the candidate carries), rows, changed (how many get another verdict), turned (how many decisions), changes
    /// [{now, then, people_approved, people_rejected}], and posts, all of them [{line, post (null if the row has no id),
    /// people, now, then, turned}].
    #[arg(long)]
    json: bool,
}

/// Compares.
///
/// # Errors
/// When a file cannot be read, rules are refused, or stdout cannot be written.
pub(super) fn run(args: &CompareArgs) -> anyhow::Result<Exit> {
    let rules = args.chosen.load()?;
    let Checked { set, tests, .. } = RuleSet::check(&args.candidate)?;
    let candidate = rules.with_rules(set);
    if tests == 0 {
        let file = args.candidate.display().to_string();
        report!("{} has no [[test]]: add the texts that the change is for, each with what to expect", line(&file));
    }
    let sets = args.files.iter().map(|file| Ok((file, open(file)?))).collect::<anyhow::Result<Vec<_>>>()?;
    let mut exit = Exit::Done;
    for (file, set) in sets {
        let name = file.display().to_string();
        let listed = (!args.json).then_some(args.shown);
        let mut comparison = Comparison::new(&name, [rules.id(), candidate.id()], tests);
        let compared = each(set, |number, row: Result<Row, String>| match row {
            Ok(row) => {
                let [now, then] = [&rules, &candidate].map(|rules| rules.review_text(&row.title, &row.text).verdict);
                comparison.count(number, &row, [now, then], listed);
            }
            Err(problem) => {
                report_bad(&name, number, &problem);
                exit = Exit::Partial;
            }
        });
        compared.with_context(|| format!("cannot read {name} to its end"))?;
        output::print(|out| match args.json {
            true => output::json_line(out, &comparison),
            false => write!(out, "{}", comparison.page(args.shown)),
        })?;
    }
    Ok(exit)
}
