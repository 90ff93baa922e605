//! Tables for people: plain columns without colours, the same on a terminal and in a pipe.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// An empty table with these headings. Lines are never wrapped: an id must be copied whole.
#[must_use]
pub fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if !headings.is_empty() {
        table.set_header(headings.to_vec());
    }
    table
}

/// Aligns columns of numbers.
pub fn right(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// The table's lines, two spaces between columns and none at the end.
#[must_use]
pub fn lines(mut table: Table) -> String {
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
