//! From hits to a verdict: what counts is how many different rules match a post, not how often one does.
//!
//! 1. Terms of one category that lie inside one another are one: the heaviest counts, the longer of equals ("go kill
//!    yourself" is not counted again for "kill yourself"). A pattern counts beside the terms it spans: it says that
//!    they stand together.
//! 2. The same term, or the same pattern, counts once in a post, title and content together.
//! 3. What is left adds up by category, and with the categories that it names in `with`: a way to get in touch says
//!    more beside drugs than beside a bicycle. A category's sum against its thresholds gives its verdict, the strongest
//!    of the categories' verdicts is the post's. Where somebody may need help, it is to hold the post at most.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::ops::Range;

use super::explain::Finding;
use super::hit::{Dropped, Hit, What, steps};
use super::matcher::Matcher;
use super::nested::drop_nested;
use super::rules::{Category, Combination, Rule};
use super::together::{Place, Places};
use sluice_core::verdict::{REVIEWED_IN_PART, Reason, Score, Verdict};

/// The most reasons one review gives: the heaviest. A row is read by a person, who needs no seventeenth.
pub(super) const REASONS_MAX: usize = 16;
/// The longest text of a reason, in characters, the mark of the cut included.
pub(super) const TEXT_MAX_CHARS: usize = 60;

pub(super) struct Tally<'a> {
    categories: &'a [Category],
    rules: &'a [Rule],
    matcher: &'a Matcher,
    seen: HashSet<What>,
    found: Vec<(usize, Reason)>,
    /// Where rules match, also those that add nothing any more.
    places: Places,
    shadow: Vec<Reason>,
    /// The parts that were not reviewed.
    unread: Vec<Reason>,
}

pub(super) struct Scored {
    pub(super) verdict: Verdict,
    pub(super) scores: Vec<Score>,
    pub(super) reasons: Vec<Reason>,
    pub(super) shadow: Vec<Reason>,
}

impl<'a> Tally<'a> {
    pub(super) fn new(categories: &'a [Category], rules: &'a [Rule], matcher: &'a Matcher) -> Self {
        Self {
            categories,
            rules,
            matcher,
            seen: HashSet::new(),
            found: Vec::new(),
            places: Places::default(),
            shadow: Vec::new(),
            unread: Vec::new(),
        }
    }

    /// Counts the hits of one field, and marks those that do not count. `whole` is all of its text, and whether there
    /// were more hits than were considered.
    pub(super) fn count(&mut self, field: &str, text: &str, hits: &mut [Hit], whole: (&str, bool)) {
        let rest = match whole {
            (whole, _) if whole.len() > text.len() => Some((text.len()..whole.len(), whole)),
            (whole, true) => Some((0..whole.len(), whole)),
            (_, false) => None,
        };
        self.unread.extend(rest.map(|(span, whole)| unread(field, span, whole)));
        drop_nested(hits, self.categories.len(), self.rules);
        for hit in hits.iter_mut().filter(|hit| hit.dropped.is_none()) {
            if !self.rules[hit.rule].shadow {
                self.places.add(Place::new(field, hit.span.start, hit.rule));
            }
            if !self.seen.insert(hit.what) {
                hit.dropped = Some(Dropped::Again);
                continue;
            }
            let reason = self.reason(field, text, hit);
            if self.rules[hit.rule].shadow {
                hit.dropped = Some(Dropped::Shadow);
                self.shadow.push(reason);
            } else {
                self.found.push((hit.rule, reason));
            }
        }
    }

    /// Counts the rules that match where others do together: at the place of the last of them.
    pub(super) fn combine(&mut self, combinations: &[Combination]) {
        for combination in combinations {
            let found = |wanted: &usize| self.found.iter().position(|(found, _)| found == wanted);
            let Some(together) = combination.met(found) else { continue };
            let Some(last) = together.iter().max() else { continue };
            if !self.places.are_near(combination) {
                continue;
            }
            let rule = combination.rule;
            let name = |rule: usize| self.rules[rule].id.clone();
            let category = self.categories[self.rules[rule].category].name.clone();
            let matched = together.iter().map(|nth| name(self.found[*nth].0)).collect::<Vec<_>>().join(" + ");
            let reason = Reason { rule: name(rule), category, matched, ..self.found[*last].1.clone() };
            match self.rules[rule].shadow {
                true => self.shadow.push(reason),
                false => {
                    self.places.add(Place::new(&reason.field, reason.span[0], rule));
                    self.found.push((rule, reason));
                }
            }
        }
    }

    /// All hits of a field, for people.
    pub(super) fn findings(&self, field: &str, text: &str, hits: &[Hit]) -> Vec<Finding> {
        let finding = |hit: &Hit| Finding {
            reason: self.reason(field, text, hit),
            weight: self.rules[hit.rule].weight,
            dropped: hit.dropped.map(|dropped| dropped.to_string()),
        };
        hits.iter().map(finding).collect()
    }

    fn reason(&self, field: &str, text: &str, hit: &Hit) -> Reason {
        let Rule { id, category, .. } = &self.rules[hit.rule];
        let there = &text[hit.span.clone()];
        Reason {
            rule: id.clone(),
            category: self.categories[*category].name.clone(),
            field: field.to_owned(),
            span: [hit.span.start, hit.span.end],
            text: cut(there),
            matched: self.matcher.term(hit.what).unwrap_or(id).to_owned(),
            steps: match hit.what {
                What::Term(_) => steps(there, hit),
                What::Rule(_) => Vec::new(),
            },
        }
    }

    /// The rules that match, a list as often as its terms do.
    pub(super) fn matched(self) -> Vec<usize> {
        self.found.into_iter().map(|(rule, _)| rule).collect()
    }

    /// The verdict, and its reasons: those that decided it first, then by weight, then as they stand in the post.
    pub(super) fn outcome(mut self) -> Scored {
        let mut sums = vec![0u32; self.categories.len()];
        for (rule, _) in &self.found {
            let Rule { category, weight, .. } = self.rules[*rule];
            sums[category] = sums[category].saturating_add(weight);
        }
        let sums: Vec<u32> = self.categories.iter().zip(0..).map(|(category, nth)| category.sum(nth, &sums)).collect();
        let verdicts: Vec<_> =
            self.categories.iter().zip(&sums).map(|(category, sum)| category.verdict(*sum)).collect();
        // The strongest verdict that each category has a share in.
        let mut shares = verdicts.clone();
        for (category, verdict) in self.categories.iter().zip(&verdicts) {
            category.with.iter().for_each(|other| shares[*other] = shares[*other].max(*verdict));
        }
        let rules = self.rules;
        self.found.sort_by_key(|(rule, _)| Reverse((shares[rules[*rule].category], rules[*rule].weight)));
        let in_part = !self.unread.is_empty();
        let counted = self.found.into_iter().filter(|(rule, _)| rules[*rule].weight > 0);
        let found = counted.map(|(_, reason)| reason);
        let reasons = self.unread.into_iter().chain(found).take(REASONS_MAX).collect();
        self.shadow.truncate(REASONS_MAX);
        let mut scored: Vec<usize> = (0..sums.len()).filter(|category| sums[*category] > 0).collect();
        let urgent = |category: usize| self.categories[category].urgent && verdicts[category] != Verdict::Approved;
        scored.sort_by_key(|category| Reverse((urgent(*category), verdicts[*category], sums[*category])));
        let score = |category: usize| {
            let Category { name, hold, reject, urgent, .. } = self.categories[category].clone();
            Score { category: name, sum: sums[category], hold, reject, urgent }
        };
        let most = if scored.first().is_some_and(|first| urgent(*first)) { Verdict::Held } else { Verdict::Rejected };
        let scores = scored.into_iter().map(score).collect();
        let least = if in_part { Verdict::Held } else { Verdict::Approved };
        let verdict = verdicts.iter().copied().max().unwrap_or(least).max(least).min(most);
        Scored { verdict, scores, reasons, shadow: self.shadow }
    }
}

/// The reason for holding a post of which only a part was reviewed.
fn unread(field: &str, span: Range<usize>, whole: &str) -> Reason {
    Reason {
        rule: REVIEWED_IN_PART.to_owned(),
        category: "review".to_owned(),
        field: field.to_owned(),
        span: [span.start, span.end],
        text: cut(&whole[span]),
        matched: "too much of it to review, from here on".to_owned(),
        steps: Vec::new(),
    }
}

/// A text of a reason, cut to a length that can be read.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_MAX_CHARS) {
        None => text.to_owned(),
        Some(_) => text.chars().take(TEXT_MAX_CHARS - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_to_a_length_that_can_be_read() {
        let long = "词".repeat(TEXT_MAX_CHARS + 1);
        assert_eq!(cut(&long).chars().count(), TEXT_MAX_CHARS);
        assert!(cut(&long).ends_with('…'));
        let fits = "词".repeat(TEXT_MAX_CHARS);
        assert_eq!(cut(&fits), fits);
    }
}
