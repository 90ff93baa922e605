//! Where the rules meet a text: the terms of the lists, the patterns, links and signals; then what lies inside an
//! allowed phrase is dropped.
//!
//! ```text
//!  text ─┬─ folded ─┬─ lists ─────┐
//!        │          └─ patterns ──┼── inside an allowed phrase? ── hits
//!        ├─ links, signals ───────┘
//!        └─ decoded, if it is encoded: all of it once more
//! ```
//!
//! Every step is linear in the text, whatever a stranger writes: the automaton and the regular expressions never
//! backtrack, a pattern is asked for no more than a few places, and what is decoded is not decoded again.

use std::collections::HashSet;
use std::ops::Range;

use super::decode::Decoded;
use super::error::{RulesError, Source};
use super::fold::Folded;
use super::hit::{Dropped, Hit, What};
use super::link::Links;
use super::lists::Lists;
use super::patterns::Patterns;
use super::rules::Rules;
use super::signal::Signal;

/// What the rules find in a text.
pub(super) struct Hits {
    /// In the order of their beginning, longer ones first, with those that were dropped.
    pub(super) all: Vec<Hit>,
    /// Whether there was too much to look at all of it.
    pub(super) cut: bool,
}

/// All rules of a set, ready to be looked for.
pub(super) struct Matcher {
    lists: Lists,
    patterns: Patterns,
    links: Links,
    signals: Vec<Signal>,
}

impl Matcher {
    pub(super) fn new(rules: &mut Rules, source: Source<'_>) -> Result<Self, RulesError> {
        let (patterns, literals) = Patterns::new(std::mem::take(&mut rules.patterns), source)?;
        let lists = Lists::new(std::mem::take(&mut rules.terms), literals, source)?;
        let (links, signals) = (std::mem::take(&mut rules.links), std::mem::take(&mut rules.signals));
        Ok(Self { lists, patterns, links, signals })
    }

    /// What a hit found, by its name in the rules; `None` for what has no other name than its rule's.
    pub(super) fn term(&self, what: What) -> Option<&str> {
        match what {
            What::Term(nth) => Some(self.lists.term(nth)),
            What::Rule(_) => None,
        }
    }

    /// The hits in a text. `all`: also those inside of longer words.
    pub(super) fn hits(&self, text: &str, all: bool) -> Hits {
        let mut hits = self.look(text, all);
        if let Some(decoded) = Decoded::new(text) {
            let known: HashSet<What> = hits.all.iter().filter(|hit| hit.is_seen()).map(|hit| hit.what).collect();
            let seen = self.look(&decoded.text, all);
            hits.cut |= seen.cut;
            let more = seen.all.into_iter().filter(|hit| !known.contains(&hit.what));
            let back = |hit: Hit| Some(Hit { span: decoded.origin(&hit.span)?, decoded: true, ..hit });
            hits.all.extend(more.filter_map(back));
        }
        hits.all.sort_by_key(|hit| (hit.span.start, std::cmp::Reverse(hit.span.end), hit.what));
        hits
    }

    fn look(&self, text: &str, all: bool) -> Hits {
        let folded = Folded::new(text);
        let mut found = self.lists.find(text, &folded, all);
        self.patterns.find(&folded, &found.parts, &mut found.hits, &mut found.allowed);
        found.hits.extend(self.links.find(text));
        found.hits.extend(self.signals.iter().filter_map(|signal| signal.find(text, &folded)));
        let allowed = Cover::new(found.allowed);
        for hit in found.hits.iter_mut().filter(|hit| allowed.holds(&hit.span)) {
            hit.dropped = Some(Dropped::Allowed);
        }
        Hits { all: found.hits, cut: found.cut }
    }
}

/// Stretches of a text, none inside another, in order: so their ends are in order too.
struct Cover(Vec<Range<usize>>);

impl Cover {
    fn new(mut stretches: Vec<Range<usize>>) -> Self {
        stretches.sort_by_key(|stretch| (stretch.start, std::cmp::Reverse(stretch.end)));
        let mut end = 0;
        stretches.retain(|stretch| {
            let reaches_on = stretch.end > end;
            end = end.max(stretch.end);
            reaches_on
        });
        Self(stretches)
    }

    /// Whether a stretch lies inside one of these, or is one of them.
    fn holds(&self, stretch: &Range<usize>) -> bool {
        let after = self.0.partition_point(|cover| cover.start <= stretch.start);
        // Of those that begin before it, the last one ends last.
        self.0[..after].last().is_some_and(|cover| cover.end >= stretch.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cover_holds_what_one_of_its_stretches_holds(
            stretches in proptest::collection::vec((0usize..30, 1usize..8), 0..12), start in 0usize..30, length in 1usize..8,
        ) {
            let stretches: Vec<_> = stretches.into_iter().map(|(start, length)| start..start + length).collect();
            let asked = start..start + length;
            let held = stretches.iter().any(|one| one.start <= asked.start && asked.end <= one.end);
            prop_assert_eq!(Cover::new(stretches).holds(&asked), held);
        }
    }
}
