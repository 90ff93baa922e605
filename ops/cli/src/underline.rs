//! A text with marks under some of its stretches, for a terminal of any width.
//!
//! ```text
//!    1  看这里：加 微\u{200b}信 ＡＢＣ
//!               ^^^^^^^^^^^^^^
//! ```
//!
//! The marks must stand under what they mean although a Chinese character takes two columns and a character that
//! cannot be seen is shown escaped, so columns are counted of what is shown.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use crate::visible;

/// How many columns of text stand on one line: with the number before it, what a narrow terminal shows.
const COLUMNS: usize = 72;
/// The most lines that are shown. Somebody who needs more has the table.
const LINES: usize = 40;

/// A piece of a text that fits on a line, with its marks.
#[derive(Default)]
struct Piece {
    number: usize,
    shown: String,
    marks: String,
    columns: usize,
}

impl Piece {
    fn push(&mut self, c: &str, mark: char) {
        let columns = c.width();
        self.shown.push_str(c);
        self.marks.extend(std::iter::repeat_n(mark, columns));
        self.columns += columns;
    }

    fn is_marked(&self) -> bool {
        !self.marks.trim_end().is_empty()
    }
}

/// The lines that have something to mark, each with its number, marks below it. A span is marked `^` if it counts,
/// else `~`.
pub(crate) fn underlined(text: &str, spans: &[([usize; 2], bool)]) -> String {
    let pieces: Vec<_> = pieces(text, spans).into_iter().filter(Piece::is_marked).collect();
    let mut out = String::new();
    for piece in pieces.iter().take(LINES) {
        let _ = writeln!(out, "{:>4}  {}\n      {}", piece.number, piece.shown, piece.marks.trim_end());
    }
    if pieces.len() > LINES {
        let _ = writeln!(out, "      and {} lines more", pieces.len() - LINES);
    }
    out
}

fn pieces(text: &str, spans: &[([usize; 2], bool)]) -> Vec<Piece> {
    let marks = marks(text, spans);
    let mut pieces = vec![Piece { number: 1, ..Piece::default() }];
    let mut number = 1;
    for (at, c) in text.char_indices() {
        if c == '\n' {
            number += 1;
        }
        let shown = visible::line(c.encode_utf8(&mut [0; 4]));
        let full = pieces.last().is_some_and(|piece| piece.columns + shown.width() > COLUMNS);
        if c == '\n' || full {
            pieces.push(Piece { number, ..Piece::default() });
        }
        if c != '\n'
            && let Some(piece) = pieces.last_mut()
        {
            piece.push(&shown, marks[at]);
        }
    }
    pieces
}

/// For each byte of a text, its mark. What counts goes over what does not.
fn marks(text: &str, spans: &[([usize; 2], bool)]) -> Vec<char> {
    let mut marks = vec![' '; text.len()];
    for (mark, wanted) in [('~', false), ('^', true)] {
        for ([start, end], _) in spans.iter().filter(|(_, counts)| *counts == wanted) {
            if let Some(stretch) = marks.get_mut(*start..*end) {
                stretch.fill(mark);
            }
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_under_what_is_shown_whatever_its_width() {
        let text = "ab\n看 微\u{200b}信 x";
        let at = |needle: &str| text.find(needle).expect("it is there");
        let spans = [([at("微"), at(" x")], true), ([at("看"), at(" 微")], false)];
        assert_eq!(underlined(text, &spans), "   2  看 微\\u{200b}信 x\n      ~~ ^^^^^^^^^^^^\n");
    }

    #[test]
    fn a_long_line_is_shown_in_pieces_and_only_those_with_marks() {
        let text = format!("{}bad{}", "x".repeat(100), "y".repeat(500));
        let shown = underlined(&text, &[([100, 103], true)]);
        assert_eq!(shown.lines().count(), 2, "{shown}");
        assert!(shown.contains("xxbadyy"), "{shown}");
        let many = "bad\n".repeat(LINES + 3);
        let spans: Vec<_> = (0..LINES + 3).map(|line| ([line * 4, line * 4 + 3], true)).collect();
        assert!(underlined(&many, &spans).ends_with("and 3 lines more\n"));
    }
}
