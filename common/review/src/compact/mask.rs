//! Words of which a sign hides one letter or two: `f*ck`.

use super::cell::leet;
use super::{Cell, Compact, Gap, Written};
use crate::vocabulary::Vocabulary;

/// The longest word that may have a hidden letter, in characters.
const MASKED_MAX: usize = 24;
/// How many words with two hidden letters are tried in one text: each costs some hundred lookups.
pub(super) const TWICE_MASKED_MAX: usize = 64;

impl Compact {
    /// If the word around a mask is in the vocabulary, adds its cells and returns where it ends.
    pub(super) fn unmask(
        &mut self,
        bytes: &[u8],
        at: usize,
        vocabulary: &Vocabulary,
        twice: &mut usize,
    ) -> Option<usize> {
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
}

/// Whether people write this sign in place of a letter.
pub(super) fn is_mask(c: char) -> bool {
    matches!(c, '*' | '#' | '@' | '-' | '_')
}

/// The word of the vocabulary that a masked word is; its other letters may be written as digits or signs.
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
