//! The patterns of a rule set: each is asked only where the literals that it cannot match without were seen.

use regex::{RegexSet, RegexSetBuilder};

use super::error::{RulesError, Source};
use super::fold::Folded;
use super::hit::{Hit, What};
use super::literal::parts;
use super::rules::Pattern;

/// How many places of one pattern are looked at in one text. The first one counts; the others are there in case it
/// lies inside an allowed phrase.
const PLACES_OF_A_PATTERN: usize = 8;

/// What the set of patterns without literals may remember of its work, at most, for each thread. With the library's two
/// MiB three dozen patterns forget what they are about to need again on posts full of hits, and take ten times as long.
const SET_CACHE_BYTES: usize = 8 << 20;

/// All patterns, ready to be looked for.
pub(super) struct Patterns {
    /// Those with literals first.
    patterns: Vec<Pattern>,
    /// By pattern with literals: where its parts end among all parts; they begin where those before it end.
    ends: Vec<usize>,
    /// The others: in one pass, which of them are worth asking where.
    rest: RegexSet,
}

/// Which parts of patterns were seen in a text, a bit for each.
#[derive(Default)]
pub(super) struct Seen(Vec<u64>);

impl Seen {
    pub(super) fn insert(&mut self, part: usize) {
        if self.0.len() <= part / 64 {
            self.0.resize(part / 64 + 1, 0);
        }
        self.0[part / 64] |= 1 << (part % 64);
    }

    fn holds(&self, part: usize) -> bool {
        self.0.get(part / 64).is_some_and(|bits| bits >> (part % 64) & 1 == 1)
    }
}

impl Patterns {
    /// Also the literals to look for, each with the part it is one of.
    pub(super) fn new(patterns: Vec<Pattern>, source: Source<'_>) -> Result<(Self, Vec<(String, usize)>), RulesError> {
        let (mut filtered, mut rest, mut ends, mut literals) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut end = 0;
        for pattern in patterns {
            let parts = parts(pattern.regex.as_str());
            if parts.is_empty() {
                rest.push(pattern);
                continue;
            }
            let parts = parts.into_iter().zip(end..);
            literals.extend(parts.flat_map(|(part, nth)| part.into_iter().map(move |literal| (literal, nth))));
            end = literals.last().map_or(end, |(_, nth)| nth + 1);
            ends.push(end);
            filtered.push(pattern);
        }
        // Its flags are those they were compiled with.
        let set = RegexSetBuilder::new(rest.iter().map(|pattern| pattern.regex.as_str()))
            .unicode(false)
            .dfa_size_limit(SET_CACHE_BYTES)
            .build()
            .map_err(|error| source.too_large(error))?;
        filtered.extend(rest);
        Ok((Self { patterns: filtered, ends, rest: set }, literals))
    }

    /// Adds the hits in a text in which these parts were seen.
    pub(super) fn find(&self, folded: &Folded<'_>, seen: &Seen, hits: &mut Vec<Hit>) {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        for (pattern, (start, end)) in self.patterns.iter().zip(starts.zip(&self.ends)) {
            if (start..*end).all(|part| seen.holds(part)) {
                places(pattern, folded, hits);
            }
        }
        if !self.rest.is_empty() {
            let rest = &self.patterns[self.ends.len()..];
            self.rest.matches(folded.text()).iter().for_each(|nth| places(&rest[nth], folded, hits));
        }
    }
}

fn places(Pattern { regex, rule }: &Pattern, folded: &Folded<'_>, hits: &mut Vec<Hit>) {
    let places = regex.find_iter(folded.text()).filter(|place| !place.is_empty()).take(PLACES_OF_A_PATTERN);
    let spans = places.filter_map(|place| folded.origin(&place.range()));
    hits.extend(spans.map(|span| Hit::new(*rule, What::Rule(*rule), span)));
}
