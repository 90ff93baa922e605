//! A place where a rule matches a text, and what a reader had to see through to find it.

use std::fmt;
use std::ops::Range;

use super::spelling::Disguise;
use super::table::{fold, is_invisible, is_unseen, look_alike, simplified};

/// What counts once in a post, however often it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum What {
    /// A term of a list, by its place among all terms.
    Term(usize),
    /// A rule as a whole, whatever it found: a pattern, a link, a signal.
    Rule(usize),
}

/// A place where a rule matches a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    /// Which of the rules.
    pub(super) rule: usize,
    /// What was found there.
    pub(super) what: What,
    /// Where in the original text.
    pub(super) span: Range<usize>,
    /// What folding alone did not undo.
    pub(super) disguise: Disguise,
    /// Whether it was seen only when the text was decoded.
    pub(super) decoded: bool,
    /// Why it does not count; `None`: it does.
    pub(super) dropped: Option<Dropped>,
}

impl Hit {
    /// One that stands there plainly and counts.
    pub(super) fn new(rule: usize, what: What, span: Range<usize>) -> Self {
        Self { rule, what, span, disguise: Disguise::default(), decoded: false, dropped: None }
    }

    /// Whether a review meets it: it does not look inside of longer words, as a person who asks does.
    pub(super) fn is_seen(&self) -> bool {
        self.dropped != Some(Dropped::InsideAWord)
    }
}

/// Why a hit does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dropped {
    Allowed,
    InsideAWord,
    AcrossWords,
    Nested,
    Again,
    Shadow,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allowed => "inside an allowed phrase",
            Self::InsideAWord => "inside a longer word",
            Self::AcrossWords => "its edge is inside another word",
            Self::Nested => "an enclosing or nested match counts instead",
            Self::Again => "already counted",
            Self::Shadow => "the rule is in shadow mode",
        })
    }
}

/// Which disguises were taken off a hit whose text is this, each with how often.
pub(super) fn steps(text: &str, hit: &Hit) -> Vec<String> {
    let mut counted: Vec<(&'static str, usize)> = Vec::new();
    let mut count = |name: &'static str, times: usize| match counted.iter_mut().find(|(known, _)| *known == name) {
        Some((_, known)) => *known += times,
        None if times > 0 => counted.push((name, times)),
        None => {}
    };
    if hit.decoded {
        let (entities, percents) = (text.matches('&').count(), text.matches('%').count());
        count("HTML entity", entities);
        count("percent-encoding", percents);
        count("turned round", usize::from(entities + percents == 0));
    }
    text.chars().filter_map(folded_by).for_each(|name| count(name, 1));
    count("separator", hit.disguise.separators as usize);
    count("digit or sign for a letter", hit.disguise.leet as usize);
    count("hidden letter", hit.disguise.masked as usize);
    count("pinyin", hit.disguise.pinyin as usize);
    count("repeated letter", hit.disguise.repeats as usize);
    counted.into_iter().map(|(name, times)| format!("{name} ×{times}")).collect()
}

/// What folding does to a character, if a reader would call it a disguise: case is none.
fn folded_by(c: char) -> Option<&'static str> {
    let lower = c.to_lowercase().next().unwrap_or(c);
    match c {
        ascii if ascii.is_ascii() => None,
        invisible if is_invisible(invisible) => Some("invisible"),
        accent if is_unseen(accent) => Some("accent"),
        '\u{FF01}'..='\u{FF5E}' | '\u{3000}' => Some("full width"),
        traditional if simplified(traditional) != traditional => Some("traditional → simplified"),
        _ if unicode_normalization::char::is_combining_mark(c) => None,
        _ => {
            let mut parts = Vec::new();
            fold(c, |part| parts.push(part));
            let mut marks = 0;
            unicode_normalization::char::decompose_canonical(c, |part| marks += usize::from(is_unseen(part)));
            match parts[..] {
                [part] if part == lower => None,
                [_] if marks > 0 => Some("accent"),
                [part] if look_alike(lower) == Some(part) => Some("look-alike"),
                [part] if part.is_alphanumeric() => Some("letter form"),
                _ => None,
            }
        }
    }
}
