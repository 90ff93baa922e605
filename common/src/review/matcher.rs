//! Where the rules meet a text: one automaton for all terms, one set for all patterns, then what is not a hit after
//! all is taken out.
//!
//! ```text
//!  folded text ─┬─ terms ──── at a word's edge? ─┬─ inside an allowed phrase? ── hits
//!               └─ patterns ─────────────────────┘
//! ```
//!
//! Every step is linear in the text, whatever a stranger writes: the automaton and the regular expressions never
//! backtrack, and a pattern is asked for no more than a few places.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::{RegexSet, RegexSetBuilder};

use super::error::{RulesError, Source};
use super::fold::has_word_edges;
use super::rules::{Pattern, Rules, Term};

/// How many places of one pattern are looked at in one text. The first one counts; the others are there in case it
/// lies inside an allowed phrase.
const PLACES_OF_A_PATTERN: usize = 8;

/// What the set of patterns may remember of its work, at most, for each thread. With the library's two MiB the built-in
/// patterns forget what they are about to need again on posts full of hits, and take ten times as long.
const SET_CACHE_BYTES: usize = 8 << 20;

/// What counts once in a post, however often it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum What {
    /// A term of a list, by its place among all terms.
    Term(usize),
    /// A pattern, whatever it matched.
    Pattern(usize),
}

/// A place where a rule speaks against a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    /// Which of the rules.
    pub(super) rule: usize,
    /// What was found there.
    pub(super) what: What,
    /// Where in the folded text.
    pub(super) span: Range<usize>,
}

/// All terms and patterns of a rule set, ready to be looked for.
#[derive(Debug)]
pub(super) struct Matcher {
    automaton: AhoCorasick,
    terms: Vec<Term>,
    which: RegexSet,
    patterns: Vec<Pattern>,
}

impl Matcher {
    pub(super) fn new(rules: &mut Rules, source: Source<'_>) -> Result<Self, RulesError> {
        let (terms, patterns) = (std::mem::take(&mut rules.terms), std::mem::take(&mut rules.patterns));
        // Standard, not leftmost: an allowed phrase must be seen as well as the term inside it.
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(terms.iter().map(|term| &term.text))
            .map_err(|error| source.too_large(error))?;
        // The set says in one pass which patterns are worth asking where. Its flags are those they were compiled with.
        let which = RegexSetBuilder::new(patterns.iter().map(|pattern| pattern.regex.as_str()))
            .unicode(false)
            .dfa_size_limit(SET_CACHE_BYTES)
            .build()
            .map_err(|error| source.too_large(error))?;
        Ok(Self { automaton, terms, which, patterns })
    }

    /// The hits in a folded text, in the order of their beginning, longer ones first.
    pub(super) fn hits(&self, folded: &str) -> Vec<Hit> {
        let mut hits = Vec::new();
        let mut allowed = Vec::new();
        for found in self.automaton.find_overlapping_iter(folded) {
            let (index, span) = (found.pattern().as_usize(), found.range());
            let term = &self.terms[index];
            if !term.words || at_word_edges(folded, &span) {
                match term.rule {
                    Some(rule) => hits.push(Hit { rule, what: What::Term(index), span }),
                    None => allowed.push(span),
                }
            }
        }
        for index in &self.which.matches(folded) {
            let Pattern { regex, rule } = &self.patterns[index];
            let places = regex.find_iter(folded).filter(|place| !place.is_empty()).take(PLACES_OF_A_PATTERN);
            hits.extend(places.map(|place| Hit { rule: *rule, what: What::Pattern(index), span: place.range() }));
        }
        let allowed = Cover::new(allowed);
        hits.retain(|hit| !allowed.holds(&hit.span));
        hits.sort_by_key(|hit| (hit.span.start, std::cmp::Reverse(hit.span.end), hit.what));
        hits
    }
}

/// Whether a stretch that begins (ends) with a letter of a script with spaces begins (ends) a word there. Chinese
/// has no spaces: there nothing is asked.
fn at_word_edges(text: &str, span: &Range<usize>) -> bool {
    let joined = |outside: Option<char>, inside: Option<char>| {
        outside.is_some_and(has_word_edges) && inside.is_some_and(has_word_edges)
    };
    let inside = &text[span.clone()];
    !joined(text[..span.start].chars().next_back(), inside.chars().next())
        && !joined(text[span.end..].chars().next(), inside.chars().next_back())
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

    #[test]
    fn a_latin_term_needs_word_edges_and_a_chinese_one_does_not() {
        let edges = |text: &str, term: &str| {
            let start = text.find(term).expect("the text holds the term");
            at_word_edges(text, &(start..start + term.len()))
        };
        assert!(edges("kick his ass!", "ass"));
        assert!(edges("你个ass啊", "ass"));
        assert!(edges("ass", "ass"));
        assert!(!edges("class", "ass"));
        assert!(!edges("assess", "ass"));
        assert!(!edges("ass2", "ass"));
        assert!(edges("有人刷单吗", "刷单"));
        assert!(edges("a刷单b", "刷单"));
        assert!(edges("加v信吧", "加v信"));
        assert!(!edges("加我vx", "我v"));
    }

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
