//! Signals: what a text looks like, whatever its words. Each says little by itself; combinations say more.

use std::ops::Range;

use serde::Deserialize;

use super::fold::Folded;
use super::hit::{Hit, What};
use super::spelled::spelled;

/// The shortest text whose shares mean anything, in characters that are no blanks.
const SHARE_MIN_CHARS: usize = 20;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// The share of capitals among ASCII letters, in percent.
    Caps,
    /// The share of digits, in percent.
    Digits,
    /// The share of signs that are neither letters, digits nor blanks, in percent.
    Symbols,
    /// The longest run of one character.
    Repeats,
    /// A number of at least this many digits, such as a phone or an account has, with blanks, dots and dashes in it.
    Contact,
    /// A sum of money of at least this many digits.
    Money,
    /// A number of at least this many digits of which each is written alone: `1 3 8 0`, `一三八零`, `one three eight`.
    SpelledNumber,
}

impl Kind {
    /// Whether it is counted in percent.
    pub(super) fn is_share(self) -> bool {
        matches!(self, Self::Caps | Self::Digits | Self::Symbols)
    }
}

/// A signal that matches from some strength on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signal {
    pub(super) kind: Kind,
    pub(super) from: usize,
    pub(super) rule: usize,
}

impl Signal {
    /// Where it is in a text.
    pub(super) fn find(&self, text: &str, folded: &Folded<'_>) -> Option<Hit> {
        let share = |counted: fn(char) -> bool, of: fn(char) -> bool| {
            let all = text.chars().filter(|c| of(*c)).count();
            let some = text.chars().filter(|c| counted(*c)).count();
            (all >= SHARE_MIN_CHARS && some * 100 >= self.from * all).then(|| whole(text)).flatten()
        };
        let seen = |c: char| !c.is_whitespace();
        let span = match self.kind {
            Kind::Caps => share(|c| c.is_ascii_uppercase(), |c| c.is_ascii_alphabetic()),
            Kind::Digits => share(|c| c.is_numeric(), seen),
            Kind::Symbols => share(|c| !c.is_alphanumeric() && !c.is_whitespace(), seen),
            Kind::Repeats => longest_run(text).filter(|run| text[run.clone()].chars().count() >= self.from),
            Kind::Contact => digits(folded.text(), self.from, "-. ()+").and_then(|span| folded.origin(&span)),
            Kind::SpelledNumber => spelled(folded.text(), self.from).and_then(|span| folded.origin(&span)),
            Kind::Money => money(folded.text(), self.from).and_then(|span| folded.origin(&span)),
        };
        Some(Hit::new(self.rule, What::Rule(self.rule), span?))
    }
}

fn whole(text: &str) -> Option<Range<usize>> {
    let start = text.len() - text.trim_start().len();
    let end = text.trim_end().len();
    (start < end).then_some(start..end)
}

/// The longest run of one character that is no blank.
fn longest_run(text: &str) -> Option<Range<usize>> {
    let mut longest: Option<(usize, Range<usize>)> = None;
    let mut run: (Option<char>, usize, usize) = (None, 0, 0);
    for (at, c) in text.char_indices().filter(|(_, c)| !c.is_whitespace()) {
        run = if run.0 == Some(c) { (run.0, run.1 + 1, run.2) } else { (Some(c), 1, at) };
        if longest.as_ref().is_none_or(|(length, _)| run.1 > *length) {
            longest = Some((run.1, run.2..at + c.len_utf8()));
        }
    }
    longest.map(|(_, span)| span)
}

/// The first number of at least so many digits, with these signs between them.
fn digits(text: &str, at_least: usize, between: &str) -> Option<Range<usize>> {
    let mut number: Option<(usize, Range<usize>)> = None;
    for (at, c) in text.char_indices().chain([(text.len(), 'x')]) {
        match &mut number {
            Some((count, span)) if c.is_ascii_digit() => (*count, span.end) = (*count + 1, at + 1),
            Some(_) if between.contains(c) => {}
            Some((count, span)) if *count >= at_least => return Some(span.clone()),
            _ => number = c.is_ascii_digit().then_some((1, at..at + 1)),
        }
    }
    None
}

/// The first sum of at least so many digits that has a currency before or after it.
fn money(text: &str, at_least: usize) -> Option<Range<usize>> {
    let before = ["$", "€", "£", "¥", "usd ", "rmb "];
    let after = ["元", "块", "万", "美元", "usd", "usdt", "rmb", "dollars", "euros", "k "];
    let mut from = 0;
    while let Some(found) = digits(&text[from..], at_least, ",.") {
        let span = from + found.start..from + found.end;
        let rest = text[span.end..].trim_start();
        if before.iter().any(|sign| text[..span.start].ends_with(sign))
            || after.iter().any(|sign| rest.starts_with(sign))
        {
            return Some(span);
        }
        from = span.end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(kind: Kind, from: usize, text: &str) -> Option<String> {
        let hit = Signal { kind, from, rule: 0 }.find(text, &Folded::new(text))?;
        Some(text[hit.span].to_owned())
    }

    #[test]
    fn shares_are_of_texts_that_are_long_enough() {
        assert!(found(Kind::Caps, 70, "BUY THIS WONDERFUL THING NOW").is_some());
        assert_eq!(found(Kind::Caps, 70, "NASA"), None);
        assert_eq!(found(Kind::Caps, 70, "An ordinary sentence about NASA and ESA."), None);
        assert!(found(Kind::Digits, 50, "1234567890 1234567890 ok").is_some());
        assert!(found(Kind::Symbols, 50, "!!!!!!!!!!!!!!!!!! sale").is_some());
    }

    #[test]
    fn runs_numbers_and_sums_are_found_where_they_are() {
        assert_eq!(found(Kind::Repeats, 5, "wow!!!!! ok").as_deref(), Some("!!!!!"));
        assert_eq!(found(Kind::Repeats, 6, "wow!!!!! ok"), None);
        assert_eq!(found(Kind::Contact, 11, "call 138-0013-8000 now").as_deref(), Some("138-0013-8000"));
        assert_eq!(found(Kind::Contact, 11, "in 2026"), None);
        assert_eq!(found(Kind::Money, 3, "earn $5,000 a day").as_deref(), Some("5,000"));
        assert_eq!(found(Kind::Money, 3, "日入 ３００元").as_deref(), Some("３００"));
        assert_eq!(found(Kind::Money, 3, "room 300"), None);
    }
}
