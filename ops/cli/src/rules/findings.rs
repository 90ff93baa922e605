//! The page for people on one text: the sums against their thresholds, what was found, and the text with each finding
//! underlined where it stands.

use std::fmt::Write as _;

use sluice_core::verdict::{Score, Verdict};
use sluice_review::{Explanation, Finding, Points};

use crate::underline;
use crate::visible::{cut, line};
use sluice_runtime::table::{lines, right, table};

/// The longest text of a finding in the table, in characters.
const TEXT_MAX_CHARS: usize = 30;

/// The whole page.
pub(super) fn page(explanation: &Explanation, title: &str, content: &str) -> String {
    let Explanation { findings, review, unlisted, scorer } = explanation;
    let mut page = format!("{} by the rules {}\n", review.verdict, review.ruleset);
    if let Some(language) = unlisted {
        let _ = writeln!(page, "no list for this script or language ({language})");
    }
    if let Some(Points { scorer, points, in_shadow }) = scorer {
        let shadow = in_shadow.as_ref().map(|why| format!("; it runs in shadow: {why}")).unwrap_or_default();
        let _ = writeln!(page, "{points} of 100 points by the scorer {scorer}, which holds from 50 on{shadow}");
    }
    if findings.is_empty() {
        page.push_str("no rule matched\n");
        return page;
    }
    if !review.scores.is_empty() {
        let _ = write!(page, "\n{}", sums(&review.scores));
    }
    for (field, text) in [("title", title), ("content", content)] {
        let marks: Vec<_> = findings.iter().filter(|finding| finding.reason.field == field).collect();
        if !marks.is_empty() {
            let spans: Vec<_> = marks.iter().map(|mark| (mark.reason.span, mark.dropped.is_none())).collect();
            let _ = write!(page, "\n{field}\n{}", underline::underlined(text, &spans));
        }
    }
    let (counted, dropped): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| finding.dropped.is_none());
    if !counted.is_empty() {
        let _ = write!(page, "\nmatched (^)\n{}", listed(&counted));
    }
    if !dropped.is_empty() {
        let _ = write!(page, "\nmatched, but not counted (~)\n{}", listed(&dropped));
    }
    page
}

fn sums(scores: &[Score]) -> String {
    let mut table = table(&["category", "sum", "holds at", "rejects at", ""]);
    for score in scores {
        let threshold = |threshold: Option<u32>| threshold.map_or("-".to_owned(), |sum| sum.to_string());
        table.add_row([
            score.category.clone(),
            score.sum.to_string(),
            threshold(score.hold),
            threshold(score.reject),
            verdict(score).to_string(),
        ]);
    }
    right(&mut table, &[1, 2, 3]);
    lines(table)
}

/// What a sum leads to by itself.
fn verdict(score: &Score) -> Verdict {
    let reached = |threshold: Option<u32>| threshold.is_some_and(|threshold| score.sum >= threshold);
    match (reached(score.reject), reached(score.hold)) {
        (true, _) => Verdict::Rejected,
        (false, true) => Verdict::Held,
        (false, false) => Verdict::Approved,
    }
}

fn listed(findings: &[&Finding]) -> String {
    let mut table = table(&["where", "rule", "category", "weight", "text", "matched as", "why"]);
    for Finding { reason, weight, dropped } in findings {
        table.add_row([
            format!("{} {}..{}", reason.field, reason.span[0], reason.span[1]),
            reason.rule.clone(),
            reason.category.clone(),
            weight.to_string(),
            cut(&reason.text, TEXT_MAX_CHARS),
            cut(&reason.matched, TEXT_MAX_CHARS),
            why(&reason.steps, dropped.as_deref()),
        ]);
    }
    right(&mut table, &[3]);
    lines(table)
}

/// How it was disguised, and why it does not count.
fn why(steps: &[String], dropped: Option<&str>) -> String {
    let seen = (!steps.is_empty()).then(|| steps.join(", "));
    let parts: Vec<_> = seen.into_iter().chain(dropped.map(line)).collect();
    if parts.is_empty() { "exact match".to_owned() } else { parts.join("; ") }
}
