//! Terms that lie inside one another: only one of them counts.

use super::hit::{Dropped, Hit, What};
use super::rules::Rule;

/// Keeps one hit of each group of terms of one category that lie inside one another, and all other hits. Hits are in
/// the order of their beginning, longer ones first, so a term lies inside an earlier one exactly if it lies inside the
/// last group.
pub(super) fn drop_nested(hits: &mut [Hit], categories: usize, rules: &[Rule]) {
    // By category: the hit kept of the last group, and the end of the group.
    let mut last: Vec<Option<(usize, usize)>> = vec![None; categories];
    for nth in 0..hits.len() {
        let hit = &hits[nth];
        let Rule { category, weight, shadow, .. } = rules[hit.rule];
        if hit.dropped.is_some() || shadow || matches!(hit.what, What::Rule(_)) {
            continue;
        }
        match last[category] {
            Some((kept, end)) if hit.span.end <= end => {
                let heavier = weight > rules[hits[kept].rule].weight;
                hits[if heavier { kept } else { nth }].dropped = Some(Dropped::Nested);
                last[category] = Some((if heavier { nth } else { kept }, end));
            }
            Some(_) | None => last[category] = Some((nth, hit.span.end)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(category: usize, weight: u32) -> Rule {
        Rule { id: format!("rule-{category}-{weight}"), category, weight, shadow: false }
    }

    fn hit(rule: usize, span: std::ops::Range<usize>) -> Hit {
        Hit::new(rule, What::Term(rule), span)
    }

    #[test]
    fn the_heaviest_of_nested_terms_counts_and_the_longer_of_equals() {
        let rules = [rule(0, 30), rule(0, 30), rule(0, 80), rule(1, 10)];
        let scored = |mut hits: Vec<Hit>| {
            drop_nested(&mut hits, 2, &rules);
            hits.iter().filter(|hit| hit.dropped.is_none()).map(|hit| hit.rule).collect::<Vec<_>>()
        };
        assert_eq!(scored(vec![hit(0, 0..9), hit(1, 2..5)]), [0]);
        assert_eq!(scored(vec![hit(0, 0..9), hit(2, 2..5), hit(1, 6..9)]), [2]);
        assert_eq!(scored(vec![hit(0, 0..5), hit(1, 3..9)]), [0, 1], "neither lies inside the other");
        assert_eq!(scored(vec![hit(0, 0..9), hit(3, 2..5)]), [0, 3], "they are of two categories");
        let pattern = Hit { what: What::Rule(0), ..hit(0, 0..9) };
        assert_eq!(scored(vec![pattern, hit(1, 2..5)]), [0, 1], "a pattern counts beside its terms");
    }
}
