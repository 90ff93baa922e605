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

use regex::{RegexSet, RegexSetBuilder};

use super::decode::Decoded;
use super::error::{RulesError, Source};
use super::fold::Folded;
use super::hit::{Dropped, Hit, What};
use super::link::Links;
use super::lists::Lists;
use super::rules::{Pattern, Rules};
use super::signal::Signal;

/// How many places of one pattern are looked at in one text. The first one counts; the others are there in case it
/// lies inside an allowed phrase.
const PLACES_OF_A_PATTERN: usize = 8;

/// What the set of patterns may remember of its work, at most, for each thread. With the library's two MiB the built-in
/// patterns forget what they are about to need again on posts full of hits, and take ten times as long.
const SET_CACHE_BYTES: usize = 8 << 20;

/// All rules of a set, ready to be looked for.
pub(super) struct Matcher {
    lists: Lists,
    which: RegexSet,
    patterns: Vec<Pattern>,
    links: Links,
    signals: Vec<Signal>,
}

impl Matcher {
    pub(super) fn new(rules: &mut Rules, source: Source<'_>) -> Result<Self, RulesError> {
        let patterns = std::mem::take(&mut rules.patterns);
        // The set says in one pass which patterns are worth asking where. Its flags are those they were compiled with.
        let which = RegexSetBuilder::new(patterns.iter().map(|pattern| pattern.regex.as_str()))
            .unicode(false)
            .dfa_size_limit(SET_CACHE_BYTES)
            .build()
            .map_err(|error| source.too_large(error))?;
        let lists = Lists::new(std::mem::take(&mut rules.terms), source)?;
        let (links, signals) = (std::mem::take(&mut rules.links), std::mem::take(&mut rules.signals));
        Ok(Self { lists, which, patterns, links, signals })
    }

    /// What a hit found, by its name in the rules; `None` for what has no other name than its rule's.
    pub(super) fn term(&self, what: What) -> Option<&str> {
        match what {
            What::Term(nth) => Some(self.lists.term(nth)),
            What::Rule(_) => None,
        }
    }

    /// The hits in a text, in the order of their beginning, longer ones first, with those that were dropped. `all`: also
    /// those inside of longer words.
    pub(super) fn hits(&self, text: &str, all: bool) -> Vec<Hit> {
        let mut hits = self.look(text, all);
        if let Some(decoded) = Decoded::new(text) {
            let known: HashSet<What> = hits.iter().map(|hit| hit.what).collect();
            let more = self.look(&decoded.text, all).into_iter().filter(|hit| !known.contains(&hit.what));
            let back = |hit: Hit| Some(Hit { span: decoded.origin(&hit.span)?, decoded: true, ..hit });
            hits.extend(more.filter_map(back));
        }
        hits.sort_by_key(|hit| (hit.span.start, std::cmp::Reverse(hit.span.end), hit.what));
        hits
    }

    fn look(&self, text: &str, all: bool) -> Vec<Hit> {
        let folded = Folded::new(text);
        let mut found = self.lists.find(text, &folded, all);
        for index in &self.which.matches(folded.text()) {
            let Pattern { regex, rule } = &self.patterns[index];
            let places = regex.find_iter(folded.text()).filter(|place| !place.is_empty()).take(PLACES_OF_A_PATTERN);
            let spans = places.filter_map(|place| folded.origin(&place.range()));
            found.hits.extend(spans.map(|span| Hit::new(*rule, What::Rule(*rule), span)));
        }
        found.hits.extend(self.links.find(text));
        found.hits.extend(self.signals.iter().filter_map(|signal| signal.find(text, &folded)));
        let allowed = Cover::new(found.allowed);
        for hit in found.hits.iter_mut().filter(|hit| allowed.holds(&hit.span)) {
            hit.dropped = Some(Dropped::Allowed);
        }
        found.hits
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
