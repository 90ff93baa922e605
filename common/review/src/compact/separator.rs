//! What stands between two cells.

use super::Gap;
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
            letter if is_alphanumeric(letter) => Gap::Break,
            _ => Gap::Odd,
        };
        self.gap = Some(match (self.gap, seen) {
            (None, seen) => seen,
            (_, Gap::Break) => seen,
            (Some(before), seen) if before == seen => seen,
            (Some(Gap::Odd), Gap::Mark) | (Some(Gap::Mark), Gap::Odd) => Gap::Odd,
            (Some(_), _) => Gap::Both,
        });
    }

    pub(super) fn gap(&self) -> Gap {
        self.gap.unwrap_or(Gap::None)
    }
}
