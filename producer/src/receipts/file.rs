//! The ids of confirmed posts, one per line, for a later comparison with the queues and the rows.
//!
//! A post without a receipt may have been accepted; a receipt without a post would be wrong. So receipts are only
//! appended, after the confirm.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sluice_core::post::PostId;

/// How many characters an id has.
const ID_LENGTH: usize = 36;

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
        let fix = || {
            let mut file = OpenOptions::new().create(true).append(true).open(path)?;
            fix(path, &mut file).map(|()| file)
        };
        let file = fix().with_context(|| format!("cannot write receipts to {}", path.display()))?;
        Ok(Self { path: path.to_owned(), file, lines: Vec::new() })
    }

    /// Writes the receipts of confirmed posts to the file.
    ///
    /// # Errors
    /// When they cannot be written; names the file.
    pub fn write(&mut self, confirmed: impl Iterator<Item = PostId>) -> anyhow::Result<()> {
        self.lines.clear();
        for id in confirmed {
            writeln!(self.lines, "{id}").map_err(|error| self.with_context(error))?;
        }
        // One call for many lines, so that no line is left half-written when the process dies in between.
        self.file.write_all(&self.lines).map_err(|error| self.with_context(error))
    }

    /// Writes as many of these receipts as fit, and says how many that are and what came in between. After that, the
    /// file has to be opened again, because it may end with a part of the next one.
    pub(super) fn write_some(&mut self, ids: &[PostId]) -> (usize, io::Result<()>) {
        self.lines.clear();
        // Into memory.
        ids.iter().for_each(|id| drop(writeln!(self.lines, "{id}")));
        let mut written = 0;
        let whole = |bytes: usize| bytes / (ID_LENGTH + 1);
        while written < self.lines.len() {
            match self.file.write(&self.lines[written..]) {
                Ok(0) => return (whole(written), Err(io::ErrorKind::WriteZero.into())),
                Ok(more) => written += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (whole(written), Err(error)),
            }
        }
        (ids.len(), Ok(()))
    }

    fn with_context(&self, error: io::Error) -> anyhow::Error {
        let path = self.path.display();
        anyhow::Error::new(error)
            .context(format!("cannot write receipts to {path}, so the last confirmed posts have none"))
    }
}

/// Terminates the last line, so that no receipt is appended to something else. A partial id, left by a program that was
/// killed while writing, is removed.
fn fix(path: &Path, file: &mut File) -> io::Result<()> {
    let about = file.metadata()?;
    if !about.is_file() {
        return Ok(());
    }
    // No receipt is longer than this.
    let from = about.len().saturating_sub(64);
    let (mut written, mut end) = (File::open(path)?, Vec::new());
    written.seek(SeekFrom::Start(from))?;
    written.read_to_end(&mut end)?;
    let begins = end.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let last = &end[begins..];
    let of_an_id = last.len() < ID_LENGTH && last.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    match last {
        [] => Ok(()),
        _ if of_an_id => file.set_len(from + begins as u64),
        _ => file.write_all(b"\n"),
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
    fn no_receipt_is_written_on_to_the_end_of_something_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ids");
        let (whole, next) = (PostId::new(), PostId::new());
        for (before, after) in [
            (format!("{whole}\n{}", &next.to_string()[..17]), format!("{whole}\n{next}\n")),
            (format!("{whole}"), format!("{whole}\n{next}\n")),
            ("018f-".to_owned(), format!("{next}\n")),
            ("# mine".to_owned(), format!("# mine\n{next}\n")),
        ] {
            std::fs::write(&path, before).expect("a file");
            Receipts::open(&path).and_then(|mut file| file.write([next].into_iter())).expect("written");
            assert_eq!(std::fs::read_to_string(&path).expect("it is there"), after);
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let error = Receipts::open(Path::new("/nowhere/ids")).expect_err("there is no such folder");
        assert!(format!("{error:#}").contains("/nowhere/ids"), "{error:#}");
        let full = Receipts::open(Path::new("/dev/full")).and_then(|mut file| file.write([PostId::new()].into_iter()));
        assert!(format!("{:#}", full.expect_err("the disk is full")).contains("/dev/full"));
    }
}
