//! A view of a text in which Latin words are spelled without their disguise: `f.u.c.k`, `sh1t`, `fuuuck`, `f*ck`.
//!
//! ```text
//!  folded   f . u u u . c k !      cells: f u u u c k, each with what stood before it
//!  keys     f   u       c k        runs as one letter, l as i: what the automaton sees
//! ```
//!
//! A key is only where to look: [`super::spelling`] then compares a term with the cells, letter by letter and run by
//! run. Collapsing both sides and leaving it at that would turn "Bob" into "boob".

use super::fold::{has_word_edges, is_han};
use super::vocabulary::Vocabulary;

/// What stands before a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nothing: it goes on.
    None,
    /// Signs that people write inside and between words: `-`, `.`, `'`, …
    Mark,
    /// Signs that nobody writes there: `*`, `~`, an emoji.
    Odd,
    /// A blank.
    Space,
    /// Signs and a blank, as between sentences.
    Both,
    /// Too much for a separator, or Chinese: nothing reaches over it, but words end there.
    Break,
    /// A letter that is none of ASCII: nothing reaches over it, and no word ends there.
    Joined,
}

/// How a letter is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// As itself.
    Letter,
    /// As a digit.
    Digit,
    /// As a sign: `@`, `$`, `!`, `|`.
    Sign,
    /// Not at all: a sign hides it.
    Masked,
}

/// A letter, or what may stand for one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    /// The letter, for a digit or a sign its likeliest one; a digit that looks like no letter is itself.
    pub(super) letter: u8,
    pub(super) written: Written,
    /// The character itself.
    pub(super) sign: char,
    pub(super) gap: Gap,
    /// Where in the folded text it is.
    pub(super) at: usize,
}

impl Cell {
    fn new(c: char, gap: Gap, at: usize) -> Option<Self> {
        let written = match c {
            'a'..='z' => Written::Letter,
            '0'..='9' => Written::Digit,
            _ => Written::Sign,
        };
        let letter = leet(c).or_else(|| c.is_ascii_alphanumeric().then_some(c as u8))?;
        Some(Self { letter, written, sign: c, gap, at })
    }

    /// Whether it may stand for a letter.
    pub(super) fn can_be(&self, letter: u8) -> bool {
        match self.written {
            Written::Letter | Written::Masked => self.letter == letter,
            Written::Digit | Written::Sign => {
                self.letter == letter || (letter == b'l' && matches!(self.sign, '1' | '!' | '|'))
            }
        }
    }
}

/// The letter that a digit or sign is read as.
fn leet(c: char) -> Option<u8> {
    Some(match c {
        '0' => b'o',
        '1' | '!' | '|' => b'i',
        '3' | '€' => b'e',
        '4' | '@' => b'a',
        '5' | '$' => b's',
        '7' | '+' => b't',
        '8' => b'b',
        '9' => b'g',
        '£' => b'l',
        '¢' => b'c',
        _ => return None,
    })
}

/// The longest separator, in characters.
const SEPARATOR_MAX: usize = 8;
/// The longest word that may have a hidden letter, in characters.
const MASKED_MAX: usize = 24;
/// How many words with two hidden letters are tried in one text: each costs some hundred looks.
const TWICE_MASKED_MAX: usize = 64;

/// The view.
pub(super) struct Compact {
    pub(super) cells: Vec<Cell>,
    /// What the automaton sees, all of ASCII; a blank is a break.
    pub(super) keys: Vec<u8>,
    /// By byte of `keys`, and one more: the first cell of it.
    pub(super) starts: Vec<u32>,
}

impl Compact {
    /// `vocabulary` are the words that a masked one may be.
    pub(super) fn new(folded: &str, vocabulary: &Vocabulary) -> Self {
        let mut view = Self { cells: Vec::with_capacity(folded.len()), keys: Vec::new(), starts: Vec::new() };
        view.read(folded, vocabulary);
        view.collapse();
        view
    }

    fn read(&mut self, folded: &str, vocabulary: &Vocabulary) {
        let bytes = folded.as_bytes();
        let mut twice = TWICE_MASKED_MAX;
        let mut gap = Separator::default();
        let mut at = 0;
        while let Some(byte) = bytes.get(at).copied() {
            if byte.is_ascii_lowercase() {
                let gap = std::mem::take(&mut gap).gap();
                self.cells.push(Cell { letter: byte, written: Written::Letter, sign: char::from(byte), gap, at });
                at += 1;
                continue;
            }
            let Some(c) = folded[at..].chars().next() else { break };
            if let Some(end) = is_mask(c).then(|| self.unmask(bytes, at, vocabulary, &mut twice)).flatten() {
                (gap, at) = (Separator::default(), end);
                continue;
            }
            let before = || at.checked_sub(1).map_or(b' ', |before| bytes[before]);
            let after = || bytes.get(at + c.len_utf8()).copied().unwrap_or(b' ');
            let cell = c.is_ascii_digit() || (leet(c).is_some() && stands_for_a_letter(c, before(), after()));
            match cell.then(|| Cell::new(c, gap.gap(), at)).flatten() {
                Some(cell) => {
                    self.cells.push(cell);
                    gap = Separator::default();
                }
                None => gap.add(c),
            }
            at += c.len_utf8();
            if gap.gap() == Gap::Break {
                at += bytes[at..].iter().take_while(|byte| is_of_a_far_script(**byte)).count();
            }
        }
    }

    /// If the word around a mask is a known one but for what is hidden, its cells are in: where it ends.
    fn unmask(&mut self, bytes: &[u8], at: usize, vocabulary: &Vocabulary, twice: &mut usize) -> Option<usize> {
        let in_word = |byte: &u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'$' | b'!' | b'|' | b'+') || is_mask(*byte as char)
        };
        let back = bytes[..at].iter().rev().take(MASKED_MAX).take_while(|byte| in_word(byte)).count();
        let on = bytes[at..].iter().take(MASKED_MAX).take_while(|byte| in_word(byte)).count();
        let (mut start, mut end) = (at - back, at + on);
        let loose = |byte: u8| matches!(byte, b'-' | b'_' | b'!' | b'+' | b'|');
        while start < at && loose(bytes[start]) {
            start += 1;
        }
        while end > at + 1 && loose(bytes[end - 1]) {
            end -= 1;
        }
        let word = unmasked(&bytes[start..end], vocabulary, twice)?;
        let kept = self.cells.partition_point(|cell| cell.at < start);
        let gap = self.cells.get(kept).map(|cell| cell.gap);
        self.cells.truncate(kept);
        for (nth, letter) in word.bytes().enumerate() {
            let at = start + nth;
            let first = gap.unwrap_or(if start == 0 { Gap::Break } else { Gap::Space });
            let gap = if nth == 0 { first } else { Gap::None };
            let written = match bytes[at] {
                same if same == letter => Written::Letter,
                digit if digit.is_ascii_digit() => Written::Digit,
                sign if is_mask(sign as char) => Written::Masked,
                _ => Written::Sign,
            };
            self.cells.push(Cell { letter, written, sign: bytes[at] as char, gap, at });
        }
        Some(end)
    }

    /// Runs of one letter become one key. Over a gap they do only where single letters are set apart: `a s s`, but not
    /// `ass so`.
    fn collapse(&mut self) {
        let alone = |nth: usize| {
            self.cells[nth].gap != Gap::None && self.cells.get(nth + 1).is_none_or(|next| next.gap != Gap::None)
        };
        let mut last = None;
        // Each may have a break before it.
        self.keys.reserve(2 * self.cells.len());
        self.starts.reserve(2 * self.cells.len() + 1);
        for (nth, cell) in self.cells.iter().enumerate() {
            let key = if cell.letter == b'l' { b'i' } else { cell.letter };
            match cell.gap {
                Gap::None if last == Some(key) => continue,
                Gap::None => {}
                Gap::Break | Gap::Joined => {
                    self.keys.push(b' ');
                    self.starts.push(nth as u32);
                }
                _ if last == Some(key) && alone(nth) && alone(nth - 1) => continue,
                Gap::Mark | Gap::Odd | Gap::Space | Gap::Both => {}
            }
            self.keys.push(key);
            self.starts.push(nth as u32);
            last = Some(key);
        }
        self.starts.push(self.cells.len() as u32);
    }
}

/// What has been seen since the last cell.
#[derive(Default)]
struct Separator {
    length: usize,
    gap: Option<Gap>,
}

impl Separator {
    fn add(&mut self, c: char) {
        self.length += 1;
        if self.gap == Some(Gap::Break) {
            return;
        }
        let seen = match c {
            _ if self.length > SEPARATOR_MAX => Gap::Break,
            ' ' => Gap::Space,
            '-' | '.' | '\'' | ',' | ';' | ':' | '!' | '?' | '/' | '&' | '"' | '(' | ')' | '%' | '=' | '#' | '@' => {
                Gap::Mark
            }
            han if is_han(han) => Gap::Break,
            letter if has_word_edges(letter) => Gap::Joined,
            letter if letter.is_alphanumeric() => Gap::Break,
            _ => Gap::Odd,
        };
        self.gap = Some(match (self.gap, seen) {
            (None, seen) => seen,
            (Some(Gap::Joined), Gap::Space | Gap::Mark | Gap::Odd | Gap::Both | Gap::None) => Gap::Break,
            (_, Gap::Break | Gap::Joined) => seen,
            (Some(before), seen) if before == seen => seen,
            (Some(Gap::Odd), Gap::Mark) | (Some(Gap::Mark), Gap::Odd) => Gap::Odd,
            (Some(_), _) => Gap::Both,
        });
    }

    fn gap(&self) -> Gap {
        self.gap.unwrap_or(Gap::None)
    }
}

/// Whether a byte is part of a character from U+3000 on, if the one before it is or ends another: Chinese, mostly. No
/// letter is hidden there, and a break only goes on.
fn is_of_a_far_script(byte: u8) -> bool {
    matches!(byte, 0x80..=0xBF | 0xE3..)
}

/// A sign that people put in the place of a letter.
fn is_mask(c: char) -> bool {
    matches!(c, '*' | '#' | '@' | '-' | '_')
}

/// Whether a sign stands where a letter would, and not where it means itself: `$5`, `wow!`, `a | b`.
fn stands_for_a_letter(sign: char, before: u8, after: u8) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'$');
    match sign {
        '@' => after.is_ascii_lowercase() || (after == b'$' && !before.is_ascii_digit()),
        '$' => after.is_ascii_lowercase() || before.is_ascii_lowercase() || (before == b'$' && !after.is_ascii_digit()),
        _ => word(before) && word(after),
    }
}

/// The word of the vocabulary that a masked one is, with its other letters as they stand or in leet.
fn unmasked<'a>(masked: &[u8], vocabulary: &'a Vocabulary, twice: &mut usize) -> Option<&'a str> {
    if !(4..=MASKED_MAX).contains(&masked.len()) || !masked[0].is_ascii_alphanumeric() {
        return None;
    }
    let mut holes = (0..masked.len()).filter(|at| is_mask(masked[*at] as char));
    let letters = masked.iter().filter(|byte| byte.is_ascii_lowercase()).count();
    match (holes.next(), holes.next(), holes.next()) {
        (Some(_), None, None) if letters >= 2 => {}
        (Some(first), Some(second), None) if second == first + 1 && letters >= 2 && *twice > 0 => *twice -= 1,
        _ => return None,
    }
    let read = |byte: &u8| (!is_mask(*byte as char)).then(|| leet(*byte as char).unwrap_or(*byte));
    vocabulary.find(&masked.iter().map(read).collect::<Vec<_>>())
}
