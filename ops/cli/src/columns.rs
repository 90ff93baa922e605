//! Tables with long lines: on a terminal they fit its width, in a pipe they have everything.
//!
//! If there is too little room, text columns become narrower, down to a minimum width, and wrap. If that is not enough,
//! columns are left out, the least important first. What must be copied as a whole, like an id, is never wrapped.

use std::io::{self, IsTerminal, Write};

use unicode_width::UnicodeWidthStr as _;

/// Between two columns.
const GAP: usize = 2;
/// The most lines that a cell takes on a terminal. `dlq show` and `--json` have the whole.
const LINES: usize = 3;
/// In a pipe no column is padded to more than this: one long text would make every line as long.
const PADDED: usize = 48;

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    heading: &'static str,
    /// Whether its cells are aligned to the right.
    number: bool,
    /// Its minimum width; `None`: as wide as its widest cell.
    least: Option<usize>,
    /// When it is left out if there is too little room: the highest first, 0 never.
    goes: u8,
}

impl Column {
    /// One that is never wrapped.
    pub(crate) const fn whole(heading: &'static str) -> Self {
        Self { heading, number: false, least: None, goes: 0 }
    }

    /// One of numbers.
    pub(crate) const fn number(heading: &'static str) -> Self {
        Self { number: true, ..Self::whole(heading) }
    }

    /// One of texts, which are wrapped to no less than so many characters.
    pub(crate) const fn text(heading: &'static str, least: usize) -> Self {
        Self { least: Some(least), ..Self::whole(heading) }
    }

    /// The same, but left out if there is too little room; the one with the highest number first.
    pub(crate) const fn goes(self, goes: u8) -> Self {
        Self { goes, ..self }
    }
}

/// The width of a stream's terminal, in characters; `None` if there is no terminal or the width is unknown.
pub(crate) fn room(stream: &impl IsTerminal) -> Option<usize> {
    let size = if stream.is_terminal() { crossterm::terminal::size().ok() } else { None };
    size.map(|(columns, _)| usize::from(columns)).filter(|columns| *columns > 0)
}

/// A table's columns, and how wide each is to be.
#[derive(Debug)]
pub(crate) struct Layout<'a> {
    columns: &'a [Column],
    /// `None`: there is no room for it.
    widths: Vec<Option<usize>>,
    /// Whether cells that are wider than their column are wrapped.
    wraps: bool,
}

impl<'a> Layout<'a> {
    /// For cells of these widths and a terminal of this one; none: a pipe.
    pub(crate) fn new(columns: &'a [Column], widest: &[usize], room: Option<usize>) -> Self {
        let headed = columns.iter().zip(widest).map(|(column, widest)| (*widest).max(column.heading.width()));
        let wanted: Vec<Option<usize>> = headed.map(Some).collect();
        let Some(room) = room else { return Self { columns, widths: wanted, wraps: false } };
        let mut shown = wanted;
        loop {
            if let Some(widths) = shrunk(columns, &shown, room) {
                return Self { columns, widths, wraps: true };
            }
            let there = columns.iter().zip(&mut shown).filter(|(column, width)| column.goes > 0 && width.is_some());
            match there.max_by_key(|(column, _)| column.goes) {
                Some((_, width)) => *width = None,
                // The terminal wraps the rest.
                None => return Self { columns, widths: least(columns, &shown), wraps: true },
            }
        }
    }

    /// The headings of columns for which there is no room.
    pub(crate) fn left_out(&self) -> Vec<&'static str> {
        let columns = self.columns.iter().zip(&self.widths);
        columns.filter(|(_, width)| width.is_none()).map(|(column, _)| column.heading).collect()
    }

    /// Writes the headings.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn headings(&self, out: &mut dyn Write) -> io::Result<()> {
        self.row(out, &self.columns.iter().map(|column| column.heading.to_owned()).collect::<Vec<_>>())
    }

    /// Writes one row, on as many lines as it takes; none of them ends with spaces.
    ///
    /// # Errors
    /// As [`Self::headings`].
    pub(crate) fn row(&self, out: &mut dyn Write, cells: &[String]) -> io::Result<()> {
        let cells = self.columns.iter().zip(&self.widths).zip(cells);
        let shown = cells.filter_map(|((column, width), cell)| width.map(|width| (column, width, cell)));
        let wrapped: Vec<_> = shown.map(|(column, width, cell)| (column, width, self.wrapped(cell, width))).collect();
        let height = wrapped.iter().map(|(_, _, lines)| lines.len()).max().unwrap_or_default();
        for number in 0..height {
            let mut line = String::new();
            for (column, width, lines) in &wrapped {
                let text = lines.get(number).map_or("", String::as_str);
                let width = if self.wraps { *width } else { (*width).min(PADDED) };
                let pad = " ".repeat(width.saturating_sub(text.width()));
                line.extend(if column.number { [&pad, text] } else { [text, &pad] });
                line.push_str(&" ".repeat(GAP));
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn wrapped(&self, cell: &str, width: usize) -> Vec<String> {
        if !self.wraps || cell.width() <= width {
            return vec![cell.to_owned()];
        }
        let mut lines: Vec<String> = textwrap::wrap(cell, width).into_iter().map(String::from).collect();
        if lines.len() > LINES {
            lines.truncate(LINES);
            if let Some(last) = lines.last_mut() {
                // In the place of its last character, where there is no room behind it.
                while last.width() >= width && last.pop().is_some() {}
                last.push('…');
            }
        }
        lines
    }
}

/// The same columns with those of text as narrow as the room asks for; none if they cannot be.
fn shrunk(columns: &[Column], widths: &[Option<usize>], room: usize) -> Option<Vec<Option<usize>>> {
    let mut widths = widths.to_vec();
    loop {
        let there = widths.iter().flatten();
        let excess = (there.clone().sum::<usize>() + GAP * there.count().saturating_sub(1)).saturating_sub(room);
        if excess == 0 {
            return Some(widths);
        }
        let flexible = columns.iter().zip(&mut widths).filter_map(|(column, width)| column.least.zip(width.as_mut()));
        let widest = flexible.filter(|(least, width)| **width > *least).max_by_key(|(_, width)| **width);
        *widest?.1 -= 1;
    }
}

fn least(columns: &[Column], widths: &[Option<usize>]) -> Vec<Option<usize>> {
    let narrow =
        |(column, width): (&Column, &Option<usize>)| width.map(|width| width.min(column.least.unwrap_or(width)));
    columns.iter().zip(widths).map(narrow).collect()
}

/// How wide a text is on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// A whole table of few rows.
pub(crate) fn table(columns: &[Column], rows: &[Vec<String>], room: Option<usize>) -> String {
    let widest = |place: usize| rows.iter().filter_map(|row| row.get(place)).map(|cell| width(cell)).max().unwrap_or(0);
    let layout = Layout::new(columns, &(0..columns.len()).map(widest).collect::<Vec<_>>(), room);
    let mut text = Vec::new();
    // Writing to memory does not fail.
    let _ = layout.headings(&mut text);
    rows.iter().for_each(|row| _ = layout.row(&mut text, row));
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COLUMNS: [Column; 5] = [
        Column::whole("ID"),
        Column::number("TRIES").goes(2),
        Column::whole("AT").goes(1),
        Column::text("CODE", 6),
        Column::text("MESSAGE", 10),
    ];

    fn rows() -> Vec<Vec<String>> {
        let cells = ["0193a5b2-7c55", "7", "2026-11-22", "mysql_1406", "Data too long for column 'title' at row 1"];
        vec![cells.map(str::to_owned).to_vec()]
    }

    #[test]
    fn a_pipe_gets_everything_on_one_line() {
        let text = table(&COLUMNS, &rows(), None);
        let expected = "\
ID             TRIES  AT          CODE        MESSAGE
0193a5b2-7c55      7  2026-11-22  mysql_1406  Data too long for column 'title' at row 1
";
        assert_eq!(text, expected);
    }

    #[test]
    fn texts_wrap_before_columns_go_and_the_least_important_goes_first() {
        let expected = "\
ID             TRIES  AT          CODE        MESSAGE
0193a5b2-7c55      7  2026-11-22  mysql_1406  Data too long for
                                              column 'title' at row
                                              1
";
        assert_eq!(table(&COLUMNS, &rows(), Some(67)), expected);
        let expected = "\
ID             CODE        MESSAGE
0193a5b2-7c55  mysql_1406  Data too
                           long for
                           column…
";
        assert_eq!(table(&COLUMNS, &rows(), Some(38)), expected);
        let layout = Layout::new(&COLUMNS, &[13, 1, 10, 10, 41], Some(38));
        assert_eq!(layout.left_out(), ["TRIES", "AT"]);
        let narrow = table(&COLUMNS, &rows(), Some(5));
        assert!(narrow.contains("0193a5b2-7c55"), "what must be copied stays whole: {narrow}");
    }

    #[test]
    fn one_long_text_in_a_pipe_pads_no_other_line() {
        let row = |title: &str| vec![title.to_owned(), "x".to_owned()];
        let text = table(&[Column::text("TITLE", 9), Column::whole("END")], &[row(&"a".repeat(5000)), row("b")], None);
        assert!(text.lines().nth(2).is_some_and(|line| line.len() < 60), "{text}");
        assert!(text.contains(&"a".repeat(5000)));
    }

    proptest! {
        #[test]
        fn no_line_is_longer_than_the_terminal_where_the_narrowest_form_fits(
            cells in proptest::collection::vec("[a-z終é ]{0,60}", 2), room in 33usize..200,
        ) {
            let row = [vec!["0193a5b2-7c55".to_owned(), "7".to_owned(), "2026-11-22".to_owned()], cells].concat();
            let text = table(&COLUMNS, &[row], Some(room));
            prop_assert!(text.lines().all(|line| width(line) <= room), "{room}:\n{text}");
        }
    }
}
