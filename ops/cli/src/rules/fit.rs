//! `sluice rules fit`: proposes weights and thresholds, from texts with known verdicts. It changes no file.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};
use sluice_review::{Change, Fit, Rates, RuleSet};
use sluice_runtime::exit::Exit;
use sluice_runtime::output;
use sluice_runtime::table::{lines, right, table};

use super::RulesFile;
use super::rates::{self, interval, share};
use super::row::{Expect, Row, Rows, open};

/// Arguments of `sluice rules fit`.
#[derive(Debug, Args)]
pub(super) struct FitArgs {
    /// Files with one JSON object per line; `-` reads stdin
    ///
    /// Each line is {"text", "expect": "flag" or "clean"}, optionally with "title". At least 20 rows of each are needed,
    /// and no text may be both.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    chosen: RulesFile,
    /// Share of the clean texts that may be flagged, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0, value_parser = percent)]
    false_alarms: f64,
    /// Print one JSON object
    ///
    /// Keys: ruleset; now, by_folds and on_the_same, each {found, false_alarms}, each {hits, of, share, interval};
    /// weights and holds, each [{name, now, proposed, in_flagged, in_clean}].
    #[arg(long)]
    json: bool,
}

fn percent(text: &str) -> Result<f64, String> {
    let percent = text.parse().ok().filter(|percent| (0.0..=50.0).contains(percent));
    percent.ok_or_else(|| "expected a number from 0 to 50".to_owned())
}

/// Proposes them.
///
/// # Errors
/// When a file cannot be read, the rules are refused, the rows are too few or contradict one another, or stdout cannot
/// be written.
pub(super) fn run(args: &FitArgs) -> anyhow::Result<Exit> {
    let rules = args.chosen.load()?;
    let sets = args.files.iter().map(|file| Ok((file, open(file)?))).collect::<anyhow::Result<Vec<_>>>()?;
    let (mut samples, mut exit) = (Vec::new(), Exit::Done);
    for (file, set) in sets {
        let name = file.display().to_string();
        let rows: Rows<Row> = Rows::read(set).with_context(|| format!("cannot read {name} to its end"))?;
        if rows.report_bad(&name) {
            exit = Exit::Partial;
        }
        samples
            .extend(rows.good.iter().map(|(_, row)| rules.sample(&row.title, &row.text, row.expect == Expect::Flag)));
    }
    let fit = rules.fit(&samples, args.false_alarms / 100.0)?;
    output::print(|out| match args.json {
        true => output::json_line(out, &object(&rules, &fit)),
        false => write!(out, "{}", page(&rules, &fit, args.false_alarms)),
    })?;
    Ok(exit)
}

fn page(rules: &RuleSet, fit: &Fit, wanted: f64) -> String {
    let mut rates = table(&["", "found", "95 %", "false alarms", "95 %"]);
    for (name, Rates { found, false_alarms }) in
        [("now", fit.now), ("proposed, by folds", fit.by_folds), ("proposed, on the same rows", fit.on_the_same)]
    {
        rates.add_row([name.to_owned(), share(found), interval(found), share(false_alarms), interval(false_alarms)]);
    }
    right(&mut rates, &[1, 2, 3, 4]);
    let of = format!("{} texts to be flagged, {} clean ones", fit.now.found.of, fit.now.false_alarms.of);
    let mut page = format!("{of}, at most {wanted} % false alarms wanted, the rules {}\n{}", rules.id(), lines(rates));
    for (what, changes) in [("hold of the category", &fit.holds), ("weight of the rule", &fit.weights)] {
        if changes.is_empty() {
            let _ = write!(page, "\n{what}: no change would gain two texts\n");
            continue;
        }
        let mut table = table(&[what, "now", "proposed", "in texts to be flagged", "in clean texts"]);
        for Change { name, now, proposed, in_flagged, in_clean } in changes {
            let numbers = [*now as usize, *proposed as usize, *in_flagged, *in_clean].map(|number| number.to_string());
            table.add_row([vec![name.clone()], numbers.to_vec()].concat());
        }
        right(&mut table, &[1, 2, 3, 4]);
        let _ = write!(page, "\n{}", lines(table));
    }
    page.push_str(
        "\nNo file was changed. \"By folds\" is what to expect: each text counted by a proposal made without it.\n",
    );
    page
}

fn object(rules: &RuleSet, fit: &Fit) -> Value {
    let change = |change: &Change| {
        let Change { name, now, proposed, in_flagged, in_clean } = change;
        json!({"name": name, "now": now, "proposed": proposed, "in_flagged": in_flagged, "in_clean": in_clean})
    };
    let changes = |changes: &[Change]| changes.iter().map(change).collect::<Vec<_>>();
    json!({
        "ruleset": rules.id(),
        "now": rates::object(fit.now),
        "by_folds": rates::object(fit.by_folds),
        "on_the_same": rates::object(fit.on_the_same),
        "weights": changes(&fit.weights),
        "holds": changes(&fit.holds),
    })
}
