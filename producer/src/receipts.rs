//! The ids of confirmed posts, one a line: what a later check holds against the queues and the rows.
//!
//! A post without a receipt may have been accepted; a receipt without a post would be a lie. So the file only grows,
//! after the confirm.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use common::post::PostId;

/// A file of receipts.
#[derive(Debug)]
pub struct Receipts {
    path: PathBuf,
    file: File,
    lines: Vec<u8>,
}

impl Receipts {
    /// Opens the file, to write at its end.
    ///
    /// # Errors
    /// When it cannot be written to; names it.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.with_context(|| format!("cannot write receipts to {}", path.display()))?;
        Ok(Self { path: path.to_owned(), file, lines: Vec::new() })
    }

    /// Writes the receipts of confirmed posts through to the file.
    ///
    /// # Errors
    /// When they cannot be written; names the file.
    pub fn write(&mut self, confirmed: impl Iterator<Item = PostId>) -> anyhow::Result<()> {
        self.lines.clear();
        for id in confirmed {
            writeln!(self.lines, "{id}").map_err(|error| self.blame(error))?;
        }
        // One call for many lines, so that no line is left half-written when the process dies in between.
        self.file.write_all(&self.lines).map_err(|error| self.blame(error))
    }

    fn blame(&self, error: io::Error) -> anyhow::Error {
        let path = self.path.display();
        anyhow::Error::new(error)
            .context(format!("cannot write receipts to {path}, so the last confirmed posts have none"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_are_added_at_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ids");
        let ids = [PostId::new(), PostId::new(), PostId::new()];
        Receipts::open(&path).and_then(|mut file| file.write(ids[..2].iter().copied())).expect("written");
        Receipts::open(&path).and_then(|mut file| file.write(ids[2..].iter().copied())).expect("written");
        let expected: String = ids.iter().map(|id| format!("{id}\n")).collect();
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), expected);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let error = Receipts::open(Path::new("/nowhere/ids")).expect_err("there is no such folder");
        assert!(format!("{error:#}").contains("/nowhere/ids"), "{error:#}");
        let full = Receipts::open(Path::new("/dev/full")).and_then(|mut file| file.write([PostId::new()].into_iter()));
        assert!(format!("{:#}", full.expect_err("the disk is full")).contains("/dev/full"));
    }
}
