//! Characters that come again and again.

use super::fold::is_han;

/// The runs of one Chinese character that are read as one: of three and more, and pairs beside such runs or other pairs.
/// One pair alone is how words are made (妈妈).
#[derive(Default)]
pub(super) struct Runs {
    last: Option<char>,
    /// Whether this run is cut, and whether the one before it was.
    cut: bool,
    cut_before: bool,
    /// Whether it is more than a pair.
    long: bool,
}

impl Runs {
    /// The run that begins with this letter.
    pub(super) fn of(letter: Option<char>) -> Self {
        Self { last: letter, ..Self::default() }
    }

    /// Whether a letter is the one before it once more, and one too many. `rest` is what comes after it.
    pub(super) fn is_again(&mut self, c: char, rest: &str) -> bool {
        if self.last != Some(c) || !is_han(c) {
            *self = Self { last: Some(c), cut: false, cut_before: self.cut, long: false };
            return false;
        }
        let mut next = rest.chars();
        let (one, two) = (next.next(), next.next());
        self.long |= one == Some(c);
        self.cut |= self.long || self.cut_before || (one == two && one.is_some_and(is_han));
        self.cut
    }

    /// Whether people write so: 开开心心.
    pub(super) fn ordinary(&self) -> bool {
        !self.long
    }
}
