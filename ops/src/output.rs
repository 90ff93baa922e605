//! What goes to stdout. A reader that has gone away (`| head`) is no failure.

use std::io::{self, BufWriter, Write};

use serde::Serialize;

/// Writes to stdout, buffered and flushed.
///
/// # Errors
/// When stdout cannot be written; see [`is_broken_pipe`].
pub fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    out.flush()
}

/// Writes one line of JSON.
///
/// # Errors
/// When it cannot be written.
pub fn json_line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_string(value)?;
    writeln!(out, "{}", harmless(&json))
}

/// JSON escapes the control characters below 0x20 by itself. The others (DEL, and those that some terminals take as the
/// beginning of an escape sequence) only ever stand inside strings, where their escaped form means the same.
fn harmless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match u32::from(c) {
            code @ 0x7f..=0x9f => out.push_str(&format!("\\u{code:04x}")),
            _ => out.push(c),
        }
    }
    out
}

/// Whether an error only says that nobody reads our output any more.
#[must_use]
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(broken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_json_holds_no_control_character_and_reads_back_the_same() {
        let value = serde_json::json!({ "title": "a\u{1b}[31m\u{7f}\u{9b}31m é" });
        let mut out = Vec::new();
        json_line(&mut out, &value).expect("a buffer takes everything");
        let line = String::from_utf8(out).expect("JSON is UTF-8");
        assert!(line.trim_end().chars().all(|c| !c.is_control()), "{line:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).expect("still JSON"), value);
    }

    #[test]
    fn only_a_reader_that_left_is_a_broken_pipe() {
        let broken = anyhow::Error::from(io::Error::from(io::ErrorKind::BrokenPipe)).context("printing");
        assert!(is_broken_pipe(&broken));
        assert!(!is_broken_pipe(&io::Error::from(io::ErrorKind::NotFound).into()));
    }
}
