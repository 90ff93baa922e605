//! A view of a text in which Latin words are spelled without their disguise: `f.u.c.k`, `sh1t`, `fuuuck`, `f*ck`.
//!
//! ```text
//!  folded   f . u u u . c k !      cells: f u u u c k, each with what stood before it
//!  keys     f   u       c k        runs as one letter, l as i: what the automaton sees
//! ```
//!
//! Keys only find candidates: [`super::spelling`] then compares a term with the cells, letter by letter and run by run.
//! If collapsed forms alone were compared, "Bob" would match "boob".

mod cell;
mod mask;
mod separator;

pub(super) use cell::{Cell, Gap, Written};

use super::vocabulary::Vocabulary;
use cell::leet;
use mask::{TWICE_MASKED_MAX, is_mask};
use separator::Separator;

pub(super) struct Compact {
    pub(super) cells: Vec<Cell>,
    /// The keys for the automaton, all ASCII; a space is a break.
    pub(super) keys: Vec<u8>,
    /// For each byte of `keys` the first cell of it, and one more at the end.
    pub(super) starts: Vec<u32>,
}

impl Compact {
    /// `vocabulary` has the words that a masked word may be.
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

    /// Turns runs of one letter into one key; over a gap only between single letters: in `a s s`, but not in `ass so`.
    fn collapse(&mut self) {
        let alone = |nth: usize| {
            self.cells[nth].gap != Gap::None && self.cells.get(nth + 1).is_none_or(|next| next.gap != Gap::None)
        };
        let mut last = None;
        // Each key may have a break before it.
        self.keys.reserve(2 * self.cells.len());
        self.starts.reserve(2 * self.cells.len() + 1);
        for (nth, cell) in self.cells.iter().enumerate() {
            let key = if cell.letter == b'l' { b'i' } else { cell.letter };
            match cell.gap {
                Gap::None if last == Some(key) => continue,
                Gap::None => {}
                Gap::Break => {
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

/// Whether a byte is part of a character from U+3000 on (mostly Chinese), if it is not within another character. No
/// letter is hidden there, and the break continues.
fn is_of_a_far_script(byte: u8) -> bool {
    matches!(byte, 0x80..=0xBF | 0xE3..)
}

/// Whether a sign stands for a letter, and not for itself as in `$5`, `wow!`, `a | b`.
fn stands_for_a_letter(sign: char, before: u8, after: u8) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'$');
    match sign {
        '@' => after.is_ascii_lowercase() || (after == b'$' && !before.is_ascii_digit()),
        '$' => after.is_ascii_lowercase() || before.is_ascii_lowercase() || (before == b'$' && !after.is_ascii_digit()),
        _ => word(before) && word(after),
    }
}
