//! The page for people: the figures of one file, and the rows it got wrong.

use std::fmt::Write as _;

use sluice_core::verdict::{Review, Verdict};

use super::figures::Figures;
use super::outcome::{EvalOutcome, Wrong};
use crate::visible::{cut, line};
use sluice_runtime::table::{lines, right, table};

/// The whole page, with no more than so many wrong rows.
pub(super) fn page(outcome: &EvalOutcome<'_>, shown: usize) -> String {
    let mut table = table(&["", "rows", "flagged", "recall", "false positives", "rejected clean", "posts per second"]);
    table.add_row(cells("all", &outcome.figures));
    for (value, figures) in outcome.lang.iter().chain(&outcome.kind) {
        table.add_row(cells(&line(value), figures));
    }
    right(&mut table, &[1, 2, 3, 4, 5, 6]);
    let mut page = format!("{} by the rules {}\n{}", line(&outcome.file), outcome.ruleset, lines(table));
    for wrong in outcome.wrong.iter().take(shown) {
        let _ = writeln!(page, "{}", told(&outcome.file, wrong));
    }
    let all = outcome.wrong.len();
    if shown > 0 && all > shown {
        let _ = writeln!(page, "and {} more: --wrong {all} shows all", all - shown);
    }
    page
}

fn cells(name: &str, figures: &Figures) -> [String; 7] {
    let share = |share: Option<f64>| share.map_or("-".to_owned(), |share| format!("{:.1} %", share * 100.0));
    [
        name.to_owned(),
        figures.rows.to_string(),
        figures.flagged.to_string(),
        share(figures.recall.value()),
        share(figures.false_positive_rate.value()),
        figures.rejected_clean.to_string(),
        figures.posts_per_second.value().map_or("-".to_owned(), |speed| speed.to_string()),
    ]
}

/// A wrong row on one line: its position, its result with the reason, and the text.
fn told(file: &str, wrong: &Wrong) -> String {
    let Wrong { line: number, row, review } = wrong;
    let kind = row.kind.as_ref().map(|kind| format!(" ({})", line(kind))).unwrap_or_default();
    format!("{}:{number}: {}{kind}: {}", line(file), became(review), row.excerpt())
}

fn became(review: &Review) -> String {
    let by = review.reasons.first().map(|reason| format!(", by {} \"{}\"", reason.rule, cut(&reason.text, 20)));
    match review.verdict {
        Verdict::Approved => "missed".to_owned(),
        Verdict::Held | Verdict::Rejected => format!("wrongly {}{}", review.verdict, by.unwrap_or_default()),
    }
}
