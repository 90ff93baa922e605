//! `sluice rules check`: would a worker accept this file, and can every rule match?

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use sluice_review::{Checked, Mistakes, Position, RuleSet, Warning};
use sluice_runtime::exit::Exit;

use crate::visible::line;
use sluice_runtime::output::{self, report};

/// Arguments of `sluice rules check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Rules file (TOML)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print one JSON object
    ///
    /// Keys: file, valid (true or false), ruleset, rules, terms, tests, and warnings and errors, each [{line, column,
    /// message}]. A valid file has no errors, but may have warnings.
    #[arg(long)]
    json: bool,
}

/// Checks it. A file that is refused ends with 1, with warnings or without a valid one ends with 0.
///
/// # Errors
/// When stdout cannot be written.
pub(super) fn run(args: &CheckArgs) -> anyhow::Result<Exit> {
    let file = args.file.display().to_string();
    match RuleSet::check(&args.file) {
        Ok(checked) => {
            output::print(|out| match args.json {
                true => output::json_line(out, &valid(&file, &checked)),
                false => write!(out, "{}", page(&file, &checked)),
            })?;
            Ok(Exit::Done)
        }
        Err(mistakes) => {
            if args.json {
                output::print(|out| output::json_line(out, &refused(&file, &mistakes)))?;
            }
            mistakes.iter().for_each(|error| report!("error: {}", line(&error.to_string())));
            let errors = mistakes.iter().count();
            report!("{} is refused: {errors} {}", line(&file), if errors == 1 { "error" } else { "errors" });
            Ok(Exit::Failed)
        }
    }
}

fn page(file: &str, checked: &Checked) -> String {
    let warned = |Warning { place, message }: &Warning| format!("{place}: warning: {message}");
    let warnings: String = checked.warnings.iter().map(|warning| format!("{}\n", line(&warned(warning)))).collect();
    let Checked { set, rules, terms, tests, .. } = checked;
    let counts = format!("{rules} rules with {terms} terms; its {tests} tests pass");
    format!("{warnings}{} is valid: {}, {counts}, {} warnings\n", line(file), set.id(), checked.warnings.len())
}

fn valid(file: &str, checked: &Checked) -> Value {
    let warnings: Vec<_> = checked.warnings.iter().map(|warning| at(Some(&warning.place), &warning.message)).collect();
    json!({
        "file": file, "valid": true, "ruleset": checked.set.id(), "rules": checked.rules, "terms": checked.terms,
        "tests": checked.tests, "warnings": warnings, "errors": []
    })
}

fn refused(file: &str, mistakes: &Mistakes) -> Value {
    let errors: Vec<_> = mistakes.iter().map(|error| at(error.place(), &error.to_string())).collect();
    json!({
        "file": file, "valid": false, "ruleset": null, "rules": null, "terms": null, "tests": null, "warnings": [],
        "errors": errors
    })
}

fn at(place: Option<&Position>, message: &str) -> Value {
    json!({ "line": place.map(|place| place.line), "column": place.map(|place| place.column), "message": message })
}
