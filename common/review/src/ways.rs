//! The ways in which a pattern can match, and how each is looked for.
//!
//! ```text
//!  (?:loan|cash)(?u:.){0,60}(?:no questions|instant)|free money
//!  ──────┬────── ─────┬──── ───────────┬────────────  ────┬────
//!      piece         gap             piece             another way
//! ```
//!
//! A gap of any characters makes an automaton remember how far back each possible beginning stands, and a text full of
//! beginnings makes it slow. So pieces are looked for one by one, in time that grows with the text alone, and the gaps
//! are measured afterwards. What is found this way the whole pattern matches, too. The reverse holds unless a piece,
//! which takes as much as it can, takes what the next one begins with.

use std::ops::Range;

use regex::{Regex, RegexBuilder};
use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{Ast, Flag, FlagsItemKind, GroupKind, RepetitionKind, RepetitionRange};

/// One way in which a pattern can match.
#[derive(Debug, Clone)]
pub(super) struct Way {
    /// It alone, as a pattern.
    text: String,
    pieces: Vec<Piece>,
}

/// What is looked for by itself.
#[derive(Debug, Clone)]
struct Piece {
    /// How many characters may stand before it, behind the piece before.
    gap: usize,
    regex: Regex,
}

impl Way {
    /// All ways of a pattern that compiles.
    pub(super) fn all(pattern: &str) -> Result<Vec<Self>, regex::Error> {
        let compile = |text: &str| RegexBuilder::new(text).unicode(false).build();
        let ways = split(pattern).into_iter().map(|(text, pieces)| {
            let piece = |(gap, text): &(usize, String)| Ok(Piece { gap: *gap, regex: compile(text)? });
            let mut pieces = pieces.iter().map(piece).collect::<Result<Vec<_>, regex::Error>>()?;
            if pieces.len() > 1 && pieces.iter().any(|piece| piece.regex.is_match("")) {
                pieces = vec![Piece { gap: 0, regex: compile(&text)? }];
            }
            Ok(Self { text, pieces })
        });
        ways.collect()
    }

    /// It alone, as a pattern.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The first places where it matches, at most so many.
    pub(super) fn places(&self, text: &str, most: usize) -> Vec<Range<usize>> {
        let Some((last, before)) = self.pieces.split_last() else { return Vec::new() };
        let all = |piece: &'_ Piece| piece.regex.find_iter(text).map(|place| place.range()).collect::<Vec<_>>();
        if before.is_empty() {
            let places = last.regex.find_iter(text).filter(|place| !place.is_empty());
            return places.take(most).map(|place| place.range()).collect();
        }
        // From the last piece to the first: from where to where it reaches with those behind it.
        let (mut found, mut gap) = (all(last), last.gap);
        for piece in before.iter().rev() {
            if found.is_empty() {
                break;
            }
            let mut behind = found.iter().peekable();
            let joined = all(piece).into_iter().filter_map(|place| {
                while behind.next_if(|next| next.start < place.end).is_some() {}
                let next = behind.peek()?;
                is_within(&text[place.end..next.start], gap).then_some(place.start..next.end)
            });
            found = joined.collect();
            gap = piece.gap;
        }
        found.truncate(most);
        found
    }
}

/// Whether a text has no more than so many characters.
fn is_within(text: &str, most: usize) -> bool {
    text.len() <= most || text.chars().nth(most).is_none()
}

/// The ways of a pattern, each with its pieces and how many characters may stand before them.
fn split(pattern: &str) -> Vec<(String, Vec<(usize, String)>)> {
    let whole = || vec![(pattern.to_owned(), vec![(0, pattern.to_owned())])];
    let Ok(ast) = Parser::new().parse(pattern) else { return whole() };
    let branches = match &ast {
        Ast::Alternation(ways) => &ways.asts[..],
        one => std::slice::from_ref(one),
    };
    let mut branches: Vec<&[Ast]> = branches.iter().map(items).collect();
    // Flags count for all that follows them: only at the beginning is that everything.
    let mut flags = "";
    if let Some((first, rest)) = branches.first().and_then(|items| items.split_first())
        && matches!(first, Ast::Flags(_))
    {
        flags = text_of(std::slice::from_ref(first), pattern);
        branches[0] = rest;
    }
    let is_flags = |item: &Ast| matches!(item, Ast::Flags(_));
    if branches.iter().any(|items| items.is_empty() || items.iter().any(is_flags)) {
        return whole();
    }
    let flagged = |items: &[Ast]| format!("{flags}{}", text_of(items, pattern));
    let way = |items: &[Ast]| {
        let pieces = pieces(items).into_iter().map(|(gap, items)| (gap, flagged(items))).collect();
        (flagged(items), pieces)
    };
    branches.into_iter().map(way).collect()
}

/// The items of a way between its gaps, each with the gap before it.
fn pieces(items: &[Ast]) -> Vec<(usize, &[Ast])> {
    let (mut pieces, mut from, mut before) = (Vec::new(), 0, 0);
    for (nth, item) in items.iter().enumerate() {
        if let Some(gap) = gap(item)
            && from < nth
            && nth + 1 < items.len()
        {
            pieces.push((before, &items[from..nth]));
            (from, before) = (nth + 1, gap);
        }
    }
    pieces.push((before, &items[from..]));
    pieces
}

/// How many characters a gap may have at most; `None`: it is something else.
fn gap(item: &Ast) -> Option<usize> {
    let Ast::Repetition(repeated) = item else { return None };
    let RepetitionKind::Range(RepetitionRange::Bounded(0, most)) = repeated.op.kind else { return None };
    let Ast::Group(group) = &*repeated.ast else { return None };
    let GroupKind::NonCapturing(flags) = &group.kind else { return None };
    let unicode = matches!(&flags.items[..], [flag] if flag.kind == FlagsItemKind::Flag(Flag::Unicode));
    (unicode && matches!(&*group.ast, Ast::Dot(_))).then_some(most as usize)
}

fn items(branch: &Ast) -> &[Ast] {
    match branch {
        Ast::Concat(items) => &items.asts,
        one => std::slice::from_ref(one),
    }
}

/// What stands in a pattern from the first of these to the last.
fn text_of<'a>(items: &[Ast], pattern: &'a str) -> &'a str {
    match items {
        [first, .., last] => &pattern[first.span().start.offset..last.span().end.offset],
        [one] => &pattern[one.span().start.offset..one.span().end.offset],
        [] => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(pattern: &str, text: &str) -> Vec<String> {
        let ways = Way::all(pattern).expect("it compiles");
        let places = ways.iter().flat_map(|way| way.places(text, 8));
        places.map(|place| text[place].to_owned()).collect()
    }

    #[test]
    fn a_pattern_is_split_at_its_choices_and_at_its_gaps() {
        let split = |pattern| {
            let ways = Way::all(pattern).expect("it compiles").into_iter();
            let pieces = |way: Way| way.pieces.iter().map(|piece| piece.regex.as_str().to_owned()).collect::<Vec<_>>();
            ways.map(pieces).collect::<Vec<_>>()
        };
        assert_eq!(split("a(?u:.){0,9}b|c"), [vec!["a", "b"], vec!["c"]]);
        assert_eq!(split("(?x) a # one\n (?u:.){0,9} b | c d"), [vec!["(?x)a", "(?x)b"], vec!["(?x)c d"]]);
        for whole in ["a(?u:.){1,9}b", "(?:a(?u:.){0,9}b)", "(?u:.){0,9}b", "a(?u:.){0,9}", "a|(?i)b", "a?(?u:.){0,9}b"]
        {
            assert_eq!(split(whole).concat().concat(), whole);
        }
    }

    #[test]
    fn what_stands_between_two_pieces_is_counted_in_characters() {
        let pattern = "贷款(?u:.){0,4}电话";
        assert_eq!(places(pattern, "办贷款，请打电话"), ["贷款，请打电话"]);
        assert_eq!(places(pattern, "贷款，请打一个电话"), [""; 0]);
        assert_eq!(places(pattern, "电话贷款贷款电话电话"), ["贷款贷款电话", "贷款电话"]);
        assert_eq!(places(r"\bab(?u:.){0,1}\bcd(?u:.){0,1}\bef", "ab cd cd ef, ab cd ef"), ["ab cd ef"]);
    }

    #[test]
    fn a_piece_that_could_be_nothing_stays_with_its_neighbours() {
        assert_eq!(places("a(?u:.){0,3}b?(?u:.){0,3}c", "a..c"), ["a..c"]);
    }
}
