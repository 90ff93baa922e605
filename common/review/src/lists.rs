//! The terms of all lists, found in a text in whatever form they stand there: one automaton for what is written as it
//! is read, one for what is spelled in disguise.
//!
//! ```text
//!  folded ──┬── terms ───── at a word's edge? at the bounds of Chinese words?
//!           ├── Han ─────── the same terms, with nothing between Chinese characters
//!           └── compact ─── keys of Latin terms ── spelled out?
//! ```

use std::collections::HashSet;
use std::ops::Range;

use super::compact::Compact;
use super::error::{RulesError, Source};
use super::fold::{Folded, at_word_edges, is_han, stands_alone};
use super::han::Han;
use super::hit::{Dropped, Hit, What};
use super::index::Index;
use super::patterns::Seen;
use super::pinyin::{mixed, sounded};
use super::rules::Term;
use super::spelling::{Disguise, Spelling};
use super::table::has_invisible;
use super::vocabulary::Vocabulary;
use super::words::at_word_bounds;

/// Up to how many terms are also looked for as they sound. Each has some three such forms: with 65,000 terms they would
/// be most of the automaton's memory, and of the time that a reload takes.
const MIXED_MAX_TERMS: usize = 10_000;

/// The most places in one text that are looked at more closely. A post that has more of them is for a person.
const HITS_MAX: usize = 10_000;

/// All terms of a rule set.
pub(super) struct Lists {
    terms: Vec<Term>,
    /// Terms and, numbered after them, the parts of patterns.
    plain: Index,
    /// Of the terms those with Chinese characters.
    joined: Index,
    /// Of Latin terms: by their place among `spellings`.
    disguised: Index,
    spellings: Vec<(usize, Spelling)>,
    vocabulary: Vocabulary,
}

/// What the lists find in one text.
#[derive(Default)]
pub(super) struct Found {
    pub(super) hits: Vec<Hit>,
    /// Where allowed phrases are.
    pub(super) allowed: Vec<Range<usize>>,
    /// Of which patterns literals are there.
    pub(super) parts: Seen,
    /// Whether there were too many to look at all of them.
    pub(super) cut: bool,
}

impl Found {
    fn is_full(&mut self) -> bool {
        self.cut |= self.hits.len() + self.allowed.len() >= HITS_MAX;
        self.cut
    }
}

impl Lists {
    /// `literals` are those of patterns, each with the part it is one of.
    pub(super) fn new(
        terms: Vec<Term>,
        literals: Vec<(String, usize)>,
        source: Source<'_>,
    ) -> Result<Self, RulesError> {
        let mut texts = plain_texts(&terms);
        let with_han: Vec<_> = texts.iter().filter(|(text, _)| text.contains(is_han)).cloned().collect();
        let joined = Index::new(with_han, usize::MAX, source)?;
        texts.extend(literals.into_iter().map(|(literal, part)| (literal, (terms.len() + part) as u32)));
        let plain = Index::new(texts, terms.len(), source)?;
        let speaking = terms.iter().enumerate().filter(|(_, term)| term.rule.is_some());
        let spellings: Vec<(usize, Spelling)> =
            speaking.filter_map(|(nth, term)| Some((nth, Spelling::new(&term.text)?))).collect();
        let keys = spellings.iter().zip(0..).map(|((_, spelling), nth)| (spelling.key(), nth)).collect();
        let words = spellings.iter().flat_map(|(nth, _)| terms[*nth].text.split([' ', '-', '\'']));
        let vocabulary = Vocabulary::new(words.filter(|word| word.len() >= 4));
        let disguised = Index::new(keys, usize::MAX, source)?;
        Ok(Self { plain, joined, disguised, spellings, vocabulary, terms })
    }

    /// A term, folded.
    pub(super) fn term(&self, nth: usize) -> &str {
        &self.terms[nth].text
    }

    /// Everything in a text. `all`: also what is inside of longer words, for a person who asks.
    pub(super) fn find(&self, original: &str, folded: &Folded<'_>, all: bool) -> Found {
        let mut found = Found::default();
        self.find_plain(original, folded, all, &mut found);
        if let Some(view) = Han::new(folded.text()) {
            self.find_joined(folded, &view, &mut found);
        }
        if self.disguised.longest() > 0 {
            self.find_disguised(folded, &mut found);
        }
        found
    }

    fn find_plain(&self, original: &str, folded: &Folded<'_>, all: bool, found: &mut Found) {
        let text = folded.text();
        for (span, terms, parts) in self.plain.find(text.as_bytes()) {
            parts.iter().for_each(|part| found.parts.insert(*part as usize - self.terms.len()));
            if terms.is_empty() {
                continue;
            }
            if found.is_full() {
                return;
            }
            let at_edges = at_word_edges(text, &span);
            if !at_edges && !all && terms.iter().all(|nth| self.terms[*nth as usize].words) {
                continue;
            }
            let Some(origin) = folded.origin(&span) else { continue };
            let asked = |nth: &u32| self.terms[*nth as usize].words && self.terms[*nth as usize].rule.is_some();
            // Nobody puts invisible characters into what two words only happen to spell.
            let at_bounds = !(at_edges && terms.iter().any(asked))
                || at_word_bounds(text, &span)
                || has_invisible(&original[origin.clone()]);
            for nth in terms {
                let term = &self.terms[*nth as usize];
                let dropped = match term.words {
                    true if !at_edges => Some(Dropped::InsideAWord),
                    true if !at_bounds && term.rule.is_some() => Some(Dropped::AcrossWords),
                    true | false => None,
                };
                let disguise = Disguise { pinyin: sounded(&term.text, &text[span.clone()]), ..Disguise::default() };
                self.add(*nth as usize, origin.clone(), disguise, dropped, found);
            }
        }
    }

    /// Only around what was taken out of the view: the rest is as it was.
    fn find_joined(&self, folded: &Folded<'_>, view: &Han, found: &mut Found) {
        for stretch in view.around_joins(self.joined.longest()) {
            let within = &view.text.as_bytes()[stretch.clone()];
            for (span, terms, _) in self.joined.find(within) {
                let span = stretch.start + span.start..stretch.start + span.end;
                let Some(joined) = view.joined(&span) else { continue };
                if found.is_full() {
                    return;
                }
                let Some(origin) = view.origin(&span).and_then(|span| folded.origin(&span)) else { continue };
                let at_edges = view.at_edges(&span);
                let dropped = (joined.doubtful && !at_word_bounds(&view.text, &span)).then_some(Dropped::AcrossWords);
                for nth in terms.iter().filter(|nth| at_edges || !self.terms[**nth as usize].words) {
                    let pinyin = sounded(&self.terms[*nth as usize].text, &view.text[span.clone()]);
                    let disguise = Disguise {
                        separators: joined.separators as u32,
                        repeats: joined.repeats as u32,
                        pinyin,
                        ..Disguise::default()
                    };
                    self.add(*nth as usize, origin.clone(), disguise, dropped, found);
                }
            }
        }
    }

    fn find_disguised(&self, folded: &Folded<'_>, found: &mut Found) {
        let view = Compact::new(folded.text(), &self.vocabulary);
        let known: HashSet<(What, usize)> =
            found.hits.iter().filter(|hit| hit.is_seen()).map(|hit| (hit.what, hit.span.start)).collect();
        for (keys, spellings, _) in self.disguised.find(&view.keys) {
            if found.is_full() {
                return;
            }
            for (nth, spelling) in spellings.iter().map(|nth| &self.spellings[*nth as usize]) {
                let Some(disguise) = spelling.read(&view, keys.clone(), self.terms[*nth].words) else { continue };
                let cells = view.starts[keys.start] as usize..view.starts[keys.end] as usize;
                let (first, last) = (view.cells[cells.start], view.cells[cells.end - 1]);
                let span = first.at..last.at + last.sign.len_utf8();
                // Letters that are no cells touch a word, too.
                if self.terms[*nth].words && !stands_alone(folded.text(), &span) {
                    continue;
                }
                let Some(origin) = folded.origin(&span) else { continue };
                if !known.contains(&(What::Term(*nth), origin.start)) {
                    self.add(*nth, origin, disguise, None, found);
                }
            }
        }
    }

    fn add(&self, nth: usize, span: Range<usize>, disguise: Disguise, dropped: Option<Dropped>, found: &mut Found) {
        match self.terms[nth].rule {
            Some(rule) => found.hits.push(Hit { disguise, dropped, ..Hit::new(rule, What::Term(nth), span) }),
            None if dropped.is_none() => found.allowed.push(span),
            None => {}
        }
    }
}

/// Each term as it is, and as it is half written by its sound. An allowed phrase is no disguise.
fn plain_texts(terms: &[Term]) -> Vec<(String, u32)> {
    let speaking = terms.iter().filter(|term| term.rule.is_some()).count();
    let mut texts: Vec<(String, u32)> = Vec::with_capacity(terms.len());
    for (term, nth) in terms.iter().zip(0..) {
        texts.push((term.text.clone(), nth));
        if term.rule.is_some() && speaking <= MIXED_MAX_TERMS {
            texts.extend(mixed(&term.text).into_iter().map(|text| (text, nth)));
        }
    }
    texts
}
