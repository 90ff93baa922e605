//! The results of browsing, kept in an unnamed file until all dead letters are returned. While they are in flight,
//! nobody else sees them, and the reader of the output may be slow; also, there may be more than fit in memory.

use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, Write};
use std::marker::PhantomData;

use anyhow::Context as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

use sluice_runtime::output;

/// Lines of JSON in a file.
pub(crate) struct Spool<T = ()> {
    file: BufWriter<std::fs::File>,
    problem: Option<io::Error>,
    /// How many there are.
    pub(crate) count: usize,
    kind: PhantomData<fn(T)>,
}

impl<T> Spool<T> {
    /// An empty one.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let file = BufWriter::new(tempfile::tempfile().with_context(aside)?);
        Ok(Self { file, problem: None, count: 0, kind: PhantomData })
    }

    /// One more line. Errors are reported when they are read; `false` means that nothing more need be added.
    pub(crate) fn add(&mut self, line: &impl Serialize) -> bool {
        self.write(|file| output::json_line(file, line))
    }

    /// One more piece, in a form of its own.
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> bool {
        if self.problem.is_none() {
            self.count += 1;
            self.problem = write(&mut self.file).err();
        }
        self.problem.is_none()
    }

    /// All lines, as they are, to stdout.
    ///
    /// # Errors
    /// When they could not be written, here or there.
    pub(crate) fn print(self) -> anyhow::Result<()> {
        let mut file = self.rewound()?;
        Ok(output::print(|out| io::copy(&mut file, out).map(drop))?)
    }

    /// The same, for lines that are known to be harmless, or meant for a program.
    ///
    /// # Errors
    /// As [`Self::print`].
    pub(crate) fn print_raw(self) -> anyhow::Result<()> {
        let mut file = self.rewound()?;
        Ok(output::raw(|out| io::copy(&mut file, out).map(drop))?)
    }

    /// What was added, one after the other.
    ///
    /// # Errors
    /// As [`Self::print`].
    pub(crate) fn read(self) -> anyhow::Result<impl Iterator<Item = anyhow::Result<T>>>
    where
        T: DeserializeOwned,
    {
        let lines = BufReader::new(self.rewound()?).lines();
        Ok(lines.map(|line| Ok(serde_json::from_str(&line.with_context(aside)?)?)))
    }

    fn rewound(self) -> anyhow::Result<std::fs::File> {
        if let Some(problem) = self.problem {
            return Err(anyhow::Error::new(problem).context(aside()));
        }
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error).with_context(aside)?;
        file.rewind().with_context(aside)?;
        Ok(file)
    }
}

fn aside() -> String {
    format!(
        "dead letters are first written to a file in {}; set TMPDIR to use another folder",
        std::env::temp_dir().display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_read_back_in_its_order() {
        let mut spool = Spool::<String>::new().expect("a file");
        assert!((0..3).all(|number| spool.add(&format!("line\n{number}\u{9b}"))));
        let read: Vec<String> = spool.read().expect("it can be read").map(|line| line.expect("a line")).collect();
        assert_eq!(read, ["line\n0\u{9b}", "line\n1\u{9b}", "line\n2\u{9b}"]);
    }
}
