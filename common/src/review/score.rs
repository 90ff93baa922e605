//! From hits to a verdict: what counts is how many different things speak against a post, not how often one does.
//!
//! 1. Terms of one category that lie inside one another are one: the heaviest speaks, the longer of equals ("go kill
//!    yourself" is not counted again for "kill yourself"). A pattern speaks beside the terms it spans: what it says is
//!    that they stand together.
//! 2. The same term, or the same pattern, counts once in a post, title and content together.
//! 3. What is left adds up by category. A category's sum against its thresholds gives its verdict, the strongest of
//!    the categories' verdicts is the post's.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::fold::Folded;
use super::matcher::{Hit, What};
use super::rules::{Category, Rule};
use crate::verdict::{Reason, Score, Verdict};

/// The most reasons one review gives: the heaviest. A row is read by a person, who needs no seventeenth.
pub(super) const REASONS_MAX: usize = 16;
/// The longest text of a reason, in characters, the mark of the cut included.
pub(super) const TEXT_MAX_CHARS: usize = 60;

/// What has been found in one post so far.
pub(super) struct Tally<'a> {
    categories: &'a [Category],
    rules: &'a [Rule],
    seen: HashSet<What>,
    found: Vec<(usize, Reason)>,
}

impl<'a> Tally<'a> {
    pub(super) fn new(categories: &'a [Category], rules: &'a [Rule]) -> Self {
        Self { categories, rules, seen: HashSet::new(), found: Vec::new() }
    }

    /// Counts the hits of one field: its text, and where in its folded form they are.
    pub(super) fn count(&mut self, field: &str, text: &str, folded: &Folded<'_>, hits: Vec<Hit>) {
        for hit in speakers(hits, self.categories.len(), self.rules) {
            let Some(span) = folded.origin(&hit.span) else { continue };
            if self.seen.insert(hit.what) {
                let Rule { id, category, .. } = &self.rules[hit.rule];
                let reason = Reason {
                    rule: id.clone(),
                    category: self.categories[*category].name.clone(),
                    field: field.to_owned(),
                    span: [span.start, span.end],
                    text: cut(&text[span]),
                    matched: String::new(),
                    steps: Vec::new(),
                };
                self.found.push((hit.rule, reason));
            }
        }
    }

    /// The verdict, and its reasons: those that decided it first, then by weight, then as they stand in the post.
    pub(super) fn verdict(mut self) -> (Verdict, Vec<Score>, Vec<Reason>) {
        let mut sums = vec![0u32; self.categories.len()];
        for (rule, _) in &self.found {
            let Rule { category, weight, .. } = self.rules[*rule];
            sums[category] = sums[category].saturating_add(weight);
        }
        let verdicts: Vec<_> =
            self.categories.iter().zip(&sums).map(|(category, sum)| category.verdict(*sum)).collect();
        let rules = self.rules;
        self.found.sort_by_key(|(rule, _)| Reverse((verdicts[rules[*rule].category], rules[*rule].weight)));
        let reasons = self.found.into_iter().map(|(_, reason)| reason).take(REASONS_MAX).collect();
        let mut spoken: Vec<usize> = (0..sums.len()).filter(|category| sums[*category] > 0).collect();
        spoken.sort_by_key(|category| Reverse((verdicts[*category], sums[*category])));
        let score = |category: usize| {
            let Category { name, hold, reject } = self.categories[category].clone();
            Score { category: name, sum: sums[category], hold, reject }
        };
        let scores = spoken.into_iter().map(score).collect();
        (verdicts.into_iter().max().unwrap_or(Verdict::Approved), scores, reasons)
    }
}

impl Category {
    /// What a sum of weights means here.
    fn verdict(&self, sum: u32) -> Verdict {
        let reached = |threshold: Option<u32>| threshold.is_some_and(|threshold| sum >= threshold);
        match (reached(self.reject), reached(self.hold)) {
            (true, _) => Verdict::Rejected,
            (false, true) => Verdict::Held,
            (false, false) => Verdict::Approved,
        }
    }
}

/// The patterns' hits, and one hit for each group of terms of one category that lie inside one another. They come in
/// the order of their beginning, longer ones first, so a term lies inside an earlier one exactly if it lies inside the
/// last group.
fn speakers(hits: Vec<Hit>, categories: usize, rules: &[Rule]) -> Vec<Hit> {
    let mut spoken: Vec<Hit> = Vec::with_capacity(hits.len());
    // By category: which hit speaks for the last group, and where the group ends.
    let mut last: Vec<Option<(usize, usize)>> = vec![None; categories];
    for hit in hits {
        let Rule { category, weight, .. } = rules[hit.rule];
        match (hit.what, last[category]) {
            (What::Term(_), Some((speaker, end))) if hit.span.end <= end => {
                if weight > rules[spoken[speaker].rule].weight {
                    spoken[speaker] = hit;
                }
            }
            (What::Term(_), Some(_) | None) => {
                last[category] = Some((spoken.len(), hit.span.end));
                spoken.push(hit);
            }
            (What::Pattern(_), _) => spoken.push(hit),
        }
    }
    spoken
}

/// A text short enough to be read.
fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_MAX_CHARS) {
        None => text.to_owned(),
        Some(_) => text.chars().take(TEXT_MAX_CHARS - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(category: usize, weight: u32) -> Rule {
        Rule { id: format!("rule-{category}-{weight}"), category, weight }
    }

    fn hit(rule: usize, span: std::ops::Range<usize>) -> Hit {
        Hit { rule, what: What::Term(rule), span }
    }

    #[test]
    fn the_heaviest_of_nested_terms_speaks_and_the_longer_of_equals() {
        let rules = [rule(0, 30), rule(0, 30), rule(0, 80), rule(1, 10)];
        let spoken = |hits| speakers(hits, 2, &rules).into_iter().map(|hit| hit.rule).collect::<Vec<_>>();
        assert_eq!(spoken(vec![hit(0, 0..9), hit(1, 2..5)]), [0]);
        assert_eq!(spoken(vec![hit(0, 0..9), hit(2, 2..5), hit(1, 6..9)]), [2]);
        assert_eq!(spoken(vec![hit(0, 0..5), hit(1, 3..9)]), [0, 1], "neither lies inside the other");
        assert_eq!(spoken(vec![hit(0, 0..9), hit(3, 2..5)]), [0, 3], "they are of two categories");
        let pattern = Hit { what: What::Pattern(0), ..hit(0, 0..9) };
        assert_eq!(spoken(vec![pattern, hit(1, 2..5)]), [0, 1], "a pattern speaks beside its terms");
    }

    #[test]
    fn thresholds_are_reached_at_their_own_value() {
        let category = Category { name: "spam".to_owned(), hold: Some(50), reject: Some(100) };
        let verdicts = [0, 49, 50, 99, 100, u32::MAX].map(|sum| category.verdict(sum));
        use Verdict::{Approved, Held, Rejected};
        assert_eq!(verdicts, [Approved, Approved, Held, Held, Rejected, Rejected]);
        let only_hold = Category { reject: None, ..category };
        assert_eq!(only_hold.verdict(u32::MAX), Held);
    }

    #[test]
    fn a_long_text_is_cut_to_a_length_that_can_be_read() {
        let long = "词".repeat(TEXT_MAX_CHARS + 1);
        assert_eq!(cut(&long).chars().count(), TEXT_MAX_CHARS);
        assert!(cut(&long).ends_with('…'));
        let fits = "词".repeat(TEXT_MAX_CHARS);
        assert_eq!(cut(&fits), fits);
    }
}
