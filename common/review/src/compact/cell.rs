//! A letter of the view, or what may stand for one.

/// What stands before a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gap {
    None,
    /// Signs that are usual inside and between words: `-`, `.`, `'`, …
    Mark,
    /// Signs that are unusual there: `*`, `~`, an emoji.
    Odd,
    Space,
    /// Signs and a space, as between sentences.
    Both,
    /// Too long for a separator, or a letter that is not ASCII: no term reaches over it.
    Break,
}

/// How a letter is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Letter,
    Digit,
    /// As a sign: `@`, `$`, `!`, `|`.
    Sign,
    /// A sign hides it.
    Masked,
}

/// A letter, or a character that may stand for one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    /// The letter; for a digit or a sign the likeliest one, and for a digit that resembles no letter the digit.
    pub(crate) letter: u8,
    pub(crate) written: Written,
    /// The character itself.
    pub(crate) sign: char,
    pub(crate) gap: Gap,
    /// Its place in the folded text.
    pub(crate) at: usize,
}

impl Cell {
    pub(super) fn new(c: char, gap: Gap, at: usize) -> Option<Self> {
        let written = match c {
            'a'..='z' => Written::Letter,
            '0'..='9' => Written::Digit,
            _ => Written::Sign,
        };
        let letter = leet(c).or_else(|| c.is_ascii_alphanumeric().then_some(c as u8))?;
        Some(Self { letter, written, sign: c, gap, at })
    }

    /// Whether it may stand for a letter.
    pub(crate) fn can_be(&self, letter: u8) -> bool {
        match self.written {
            Written::Letter | Written::Masked => self.letter == letter,
            Written::Digit | Written::Sign => {
                self.letter == letter || (letter == b'l' && matches!(self.sign, '1' | '!' | '|'))
            }
        }
    }
}

/// The letter that a digit or sign is read as.
pub(super) fn leet(c: char) -> Option<u8> {
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
