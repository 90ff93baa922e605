//! A table of any number of rows: they are in a file until all widths are known.

use std::io;

use crate::columns::{Column, Layout, room, width};
use crate::spool::Spool;
use sluice_runtime::output::{self, report};

/// Rows that are waiting to be printed.
pub(crate) struct Rows {
    columns: Vec<Column>,
    widest: Vec<usize>,
    spool: Spool<Vec<String>>,
}

impl Rows {
    /// A table with these columns and no rows.
    ///
    /// # Errors
    /// As [`Spool::new`].
    pub(crate) fn new(columns: &[Column]) -> anyhow::Result<Self> {
        Ok(Self { columns: columns.to_vec(), widest: vec![0; columns.len()], spool: Spool::new()? })
    }

    /// One more row. Errors are reported by [`Self::print`]; `false` means that nothing more need be added.
    pub(crate) fn add(&mut self, row: Vec<String>) -> bool {
        for (widest, cell) in self.widest.iter_mut().zip(&row) {
            *widest = (*widest).max(width(cell));
        }
        self.spool.add(&row)
    }

    /// How many rows there are.
    pub(crate) fn count(&self) -> usize {
        self.spool.count
    }

    /// Prints it, unless it has no rows: as wide as the terminal, or whole into a pipe.
    ///
    /// # Errors
    /// As [`Spool::print`].
    pub(crate) fn print(self) -> anyhow::Result<()> {
        if self.spool.count == 0 {
            return Ok(());
        }
        let layout = Layout::new(&self.columns, &self.widest, room(&io::stdout()));
        let rows = self.spool.read()?;
        let mut broken = None;
        output::print(|out| {
            layout.headings(out)?;
            for row in rows {
                match row {
                    Ok(row) => layout.row(out, &row)?,
                    Err(error) => {
                        broken = Some(error);
                        break;
                    }
                }
            }
            Ok(())
        })?;
        if !layout.left_out().is_empty() {
            report!("does not fit: {}; --json has them", layout.left_out().join(", "));
        }
        broken.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_cell_of_each_column_is_remembered_however_many_rows_there_are() {
        const COLUMNS: [Column; 2] = [Column::whole("A"), Column::text("B", 3)];
        let mut rows = Rows::new(&COLUMNS).expect("a file");
        assert!((1..=200).all(|length| rows.add(vec!["終".to_owned(), "b".repeat(length)])));
        assert_eq!((rows.count(), rows.widest.as_slice()), (200, &[2, 200][..]));
    }
}
