//! What a pattern cannot match without: of each of its parts one literal stands in every text that it matches.
//!
//! ```text
//!  (?:贷款|借款)(?u:.){0,40}\b1[3-9]\d   ──►   贷款, 借款   and   130, 131, … 199
//! ```
//!
//! A literal is found in the same pass as the terms, and almost free; a pattern costs a pass of its own. So a pattern
//! is asked only where literals of all its parts were seen. They may be too few or too short, which costs time; that
//! they are in every match is what the review relies on.

use std::cmp::Reverse;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Hir, HirKind};

use super::table::is_folded;

/// How many parts of a pattern are looked for.
const PARTS_MAX: usize = 3;
/// How many pieces of a pattern are looked at together, to find where its literals are longest: a part is seldom made
/// of more, and patterns of thousands of pieces would take long to load.
const PIECES_MAX: usize = 8;
/// From which length on a literal is rare enough, in bytes: of parts with longer ones the one with fewer is better.
const LENGTH_ENOUGH: usize = 4;
/// Classes of so many characters are taken for literals: digits, with a few signs.
const CLASS_MAX: usize = 16;

/// Literals of which one is in every match.
type Part = Vec<String>;

/// The parts of a pattern, the rarest first; none, if it can match without any literal.
pub(super) fn parts(pattern: &str) -> Vec<Part> {
    let parsed = ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern);
    // What does not parse was refused before.
    let mut candidates = parsed.map(|parsed| candidates(&parsed)).unwrap_or_default();
    candidates.sort_by_key(|part| Reverse(rareness(part)));
    let mut parts: Vec<Part> = Vec::new();
    for part in candidates {
        // Single letters are in every text: looked for only where there is nothing better.
        let rare = parts.first().is_none_or(|best| shortest(&part) > 1 || shortest(best) == 1);
        if rare && parts.len() < PARTS_MAX && !parts.iter().any(|known| says_nothing_new(&part, known)) {
            parts.push(part);
        }
    }
    parts
}

/// The parts that can be made out, in no order and as often as they are met.
fn candidates(pattern: &Hir) -> Vec<Part> {
    let mut found: Vec<Part> = prefixes(pattern).into_iter().collect();
    match pattern.kind() {
        HirKind::Capture(group) => found.extend(candidates(&group.sub)),
        HirKind::Repetition(repeated) if repeated.min > 0 => found.extend(candidates(&repeated.sub)),
        HirKind::Concat(pieces) => {
            let from = |nth: usize| pieces[nth..].iter().take(PIECES_MAX).cloned().collect();
            found.extend((1..pieces.len()).filter_map(|nth| prefixes(&Hir::concat(from(nth)))));
            found.extend(pieces.iter().flat_map(candidates));
        }
        HirKind::Alternation(ways) => {
            let best = |way: &Hir| candidates(way).into_iter().max_by_key(rareness);
            found.extend(ways.iter().map(best).collect::<Option<Vec<_>>>().map(|parts| parts.concat()));
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) | HirKind::Repetition(_) => {}
    }
    found
}

/// With what every match begins; `None`, if that is anything.
fn prefixes(pattern: &Hir) -> Option<Part> {
    let found = Extractor::new().limit_class(CLASS_MAX).extract(pattern);
    let whole = found.literals()?.iter().map(|literal| whole_characters(literal.as_bytes()));
    // Folded text has no capitals, and no white space but blanks.
    let mut literals: Part = whole.filter(|literal| literal.chars().all(is_folded)).collect();
    literals.sort_unstable();
    literals.dedup();
    (!literals.is_empty() && shortest(&literals) > 0).then_some(literals)
}

/// A literal without the character that it was cut in.
fn whole_characters(literal: &[u8]) -> String {
    literal.utf8_chunks().next().map(|chunk| chunk.valid().to_owned()).unwrap_or_default()
}

/// The rarer the literals of a part are in ordinary text, the less often the pattern is asked for nothing.
fn rareness(part: &Part) -> (usize, Reverse<usize>) {
    (shortest(part).min(LENGTH_ENOUGH), Reverse(part.len()))
}

fn shortest(part: &Part) -> usize {
    part.iter().map(String::len).min().unwrap_or_default()
}

/// Whether a part is seen where another one is, or the other way round.
fn says_nothing_new(part: &Part, known: &Part) -> bool {
    let within = |part: &Part, other: &Part| part.iter().all(|one| other.iter().any(|two| one.contains(two.as_str())));
    within(part, known) || within(known, part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_match_holds_a_literal_of_each_part() {
        for (pattern, expected) in [
            (r"\b(?:earn|make)\s[$%]", &[&["earn", "make"][..], &[" $", " %"]][..]),
            ("(?:贷款|借款)(?u:.){0,40}(?:http|电话)", &[&["借款", "贷款"], &["http", "电话"]]),
            (r"[a-z]{3,40}\.(?:top|xyz)\b", &[&[".top", ".xyz"]]),
            ("(?:x?yz|[ab]{2})c", &[&["aac", "abc", "bac", "bbc", "xyzc", "yzc"]]),
            ("foo+(?:bar)?", &[&["foo"]]),
            ("(?:very|a)(?:[a-z]+)(?:idiot|moron)", &[&["idiot", "moron"]]),
            ("(?:foo|[a-z]+)", &[]),
            (r"(?:foo)?[a-z]", &[]),
        ] {
            assert_eq!(parts(pattern), expected, "{pattern}");
        }
    }
}
