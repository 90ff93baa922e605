//! Output to stdout and stderr. All of it passes through [`visible::block`], so that no text from outside reaches a
//! terminal with control or invisible characters. A closed pipe (`| head`) is not a failure.

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use sluice_core::visible;

/// Writes to stdout, buffered and flushed.
///
/// # Errors
/// When stdout cannot be written; see [`is_broken_pipe`].
pub fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = Lines { out: BufWriter::new(io::stdout().lock()), begun: Vec::new() };
    write(&mut out)?;
    out.finish()?.flush()
}

/// Writes to stdout byte for byte: for what is meant to be read by a program, or is known to be harmless.
///
/// # Errors
/// As [`print()`].
pub fn raw(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    out.flush()
}

/// Writes one line of JSON, with hidden characters in their escaped form.
///
/// # Errors
/// When it cannot be written.
pub fn json_line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_string(value)?;
    writeln!(out, "{}", visible::json(&json))
}

/// Prints to stderr without a line break, for prompts.
pub fn say(text: &str) {
    eprint!("{}", visible::block(text));
}

/// Prints a line to stderr; takes the arguments of `format!`.
#[macro_export]
macro_rules! report {
    ($($what:tt)*) => {
        $crate::output::say(&(format!($($what)*) + "\n"))
    };
}
pub use report;

/// Lets lines pass, each when it is complete.
struct Lines<W: Write> {
    out: W,
    begun: Vec<u8>,
}

impl<W: Write> Lines<W> {
    fn pass(&mut self, end: usize) -> io::Result<()> {
        let line = &self.begun[..end];
        let harmless = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
        if line.iter().all(harmless) {
            self.out.write_all(line)?;
        } else {
            self.out.write_all(visible::block(&String::from_utf8_lossy(line)).as_bytes())?;
        }
        self.begun.drain(..end);
        Ok(())
    }

    fn finish(mut self) -> io::Result<W> {
        self.pass(self.begun.len())?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun.extend_from_slice(bytes);
        if let Some(last) = bytes.iter().rposition(|byte| *byte == b'\n') {
            self.pass(self.begun.len() - bytes.len() + last + 1)?;
        }
        Ok(bytes.len())
    }

    /// The end of a line that was begun is still to come.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whether an error only means that the output pipe is closed.
#[must_use]
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(broken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_json_holds_no_hidden_character_and_reads_back_the_same() {
        let value = serde_json::json!({ "title": "a\u{1b}[31m\u{7f}\u{9b}31m é \u{202e}\u{e0041}" });
        let mut out = Vec::new();
        json_line(&mut out, &value).expect("a buffer takes everything");
        let line = String::from_utf8(out).expect("JSON is UTF-8");
        assert!(!line.trim_end().chars().any(visible::is_hidden), "{line:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).expect("still JSON"), value);
    }

    #[test]
    fn what_is_written_in_pieces_passes_as_a_whole() {
        let mut out = Lines { out: Vec::new(), begun: Vec::new() };
        for piece in ["é\u{202e}".as_bytes(), b"\n\x1b", "ü".as_bytes().split_at(1).0, "ü".as_bytes().split_at(1).1]
        {
            out.write_all(piece).expect("a buffer takes everything");
        }
        let told = String::from_utf8(out.finish().expect("a buffer takes everything")).expect("it is UTF-8");
        assert_eq!(told, "é\\u{202e}\n\\u{1b}ü");
    }

    #[test]
    fn only_a_reader_that_left_is_a_broken_pipe() {
        let broken = anyhow::Error::from(io::Error::from(io::ErrorKind::BrokenPipe)).context("printing");
        assert!(is_broken_pipe(&broken));
        assert!(!is_broken_pipe(&io::Error::from(io::ErrorKind::NotFound).into()));
    }
}
