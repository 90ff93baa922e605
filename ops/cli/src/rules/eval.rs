//! `sluice rules eval`: the accuracy of the rules on texts with known verdicts.
//!
//! ```text
//!  FILE.jsonl ──rows──► review ──► what they got ──► figures: of the file, of each `lang`, of each `kind`
//!      └─ invalid lines: reported, and reflected in the exit code
//! ```

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use sluice_review::{Judge, strangers};
use sluice_runtime::exit::Exit;

use super::Chosen;
use super::figures::Figures;
use super::outcome::{EvalOutcome, Wrong};
use super::row::{Row, Rows, open};
use super::scorecard;
use sluice_runtime::output;

/// Arguments of `sluice rules eval`.
#[derive(Debug, Args)]
pub(super) struct EvalArgs {
    /// Files with one JSON object per line; `-` reads stdin
    ///
    /// Each line is {"text", "expect": "flag" or "clean"}, optionally with "title", "lang" and "kind". A post that is
    /// held or rejected counts as flagged.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    chosen: Chosen,
    /// Read the texts as those of strangers, held from this share of a threshold on
    ///
    /// 50 to 99 percent; a worker takes 85 by default.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(50..=99))]
    strangers: Option<u32>,
    /// Show at most N wrong rows per file [default: 20 on a terminal, otherwise none]
    ///
    /// A row is wrong if its result is not the expected one.
    #[arg(long, value_name = "N", conflicts_with = "json")]
    wrong: Option<usize>,
    /// Print one JSON object per file, one per line
    ///
    /// Keys: file, ruleset, rows, flagged, recall, false_positive_rate, rejected_clean, posts_per_second, and lang and
    /// kind, objects that have the same figures for each value.
    #[arg(long)]
    json: bool,
}

/// The default number of wrong rows on a terminal.
const WRONG: usize = 20;

/// How long the review of one file is measured at least: a set of ten rows is over too soon to tell.
const MEASURED: Duration = Duration::from_millis(200);

/// Counts them.
///
/// # Errors
/// When a file cannot be read, the rules are refused, or stdout cannot be written.
pub(super) fn run(args: &EvalArgs) -> anyhow::Result<Exit> {
    let rules = args.chosen.load()?;
    // All are opened before the first is counted, so that a mistyped name fails early.
    let sets = args.files.iter().map(|file| Ok((file, open(file)?))).collect::<anyhow::Result<Vec<_>>>()?;
    let shown = args.wrong.unwrap_or(if io::stdout().is_terminal() { WRONG } else { 0 });
    let mut exit = Exit::Done;
    for (file, set) in sets {
        let name = file.display().to_string();
        let rows: Rows<Row> = Rows::read(set).with_context(|| format!("cannot read {name} to its end"))?;
        if rows.report_bad(&name) {
            exit = Exit::Partial;
        }
        let outcome = judge(&rules, args.strangers, name, rows.good);
        output::print(|out| match args.json {
            true => output::json_line(out, &outcome),
            false => write!(out, "{}", scorecard::page(&outcome, shown)),
        })?;
    }
    Ok(exit)
}

/// Reviews the rows of one file.
fn judge(rules: &Judge, strangers: Option<u32>, file: String, rows: Vec<(usize, Row)>) -> EvalOutcome<'_> {
    let review = |row: &Row| {
        let review = rules.review_text(&row.title, &row.text);
        match strangers {
            Some(percent) => strangers::held(review, percent, None),
            None => review,
        }
    };
    let reviews: Vec<_> = rows.iter().map(|(_, row)| review(row)).collect();
    let (times, took) = measure(rules, &rows);
    let mut outcome = EvalOutcome {
        file,
        ruleset: rules.id(),
        figures: Figures::default(),
        lang: BTreeMap::new(),
        kind: BTreeMap::new(),
        wrong: Vec::new(),
    };
    for (((line, row), review), took) in rows.into_iter().zip(reviews).zip(took) {
        outcome.figures.count(row.expect, review.verdict, times, took);
        for (value, figures) in [(&row.lang, &mut outcome.lang), (&row.kind, &mut outcome.kind)] {
            if let Some(value) = value {
                figures.entry(value.clone()).or_default().count(row.expect, review.verdict, times, took);
            }
        }
        if !row.expect.met_by(review.verdict) {
            outcome.wrong.push(Wrong { line, row, review });
        }
    }
    outcome
}

/// How often all rows were reviewed, and how long each of them took altogether.
fn measure(rules: &Judge, rows: &[(usize, Row)]) -> (u64, Vec<Duration>) {
    let mut took = vec![Duration::ZERO; rows.len()];
    let mut times = 0;
    let began = Instant::now();
    while !rows.is_empty() && (times == 0 || began.elapsed() < MEASURED) {
        for ((_, row), took) in rows.iter().zip(&mut took) {
            let began = Instant::now();
            let _ = std::hint::black_box(rules.review_text(&row.title, &row.text));
            *took += began.elapsed();
        }
        times += 1;
    }
    (times, took)
}
