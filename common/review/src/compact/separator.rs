//! What stands between two cells.

use super::Gap;
use crate::fold::{has_word_edges, is_han};
use crate::table::is_alphanumeric;

/// The longest separator, in characters.
const SEPARATOR_MAX: usize = 8;

/// The characters since the last cell.
#[derive(Default)]
pub(super) struct Separator {
    length: usize,
    gap: Option<Gap>,
}

impl Separator {
    pub(super) fn add(&mut self, c: char) {
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
            letter if is_alphanumeric(letter) => Gap::Break,
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

    pub(super) fn gap(&self) -> Gap {
        self.gap.unwrap_or(Gap::None)
    }
}
