//! The end of a server's log, for errors.

use std::fs;
use std::io;
use std::path::Path;

/// The last `lines` lines of a log from byte `from` on.
pub(super) fn tail(log: &Path, from: u64, lines: usize) -> String {
    let text = read_from(log, from).unwrap_or_else(|error| format!("(the log cannot be read: {error})"));
    let all: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if all.is_empty() {
        return "(nothing)".to_owned();
    }
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn read_from(log: &Path, from: u64) -> io::Result<String> {
    let bytes = fs::read(log)?;
    let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
    Ok(String::from_utf8_lossy(&bytes[from..]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_begins_where_the_last_start_began() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let log = dir.path().join("server.log");
        fs::write(&log, "old\none\ntwo\nthree\n").expect("a log");
        assert_eq!(tail(&log, 4, 2), "two\nthree");
        assert_eq!(tail(&log, 4, 9), "one\ntwo\nthree");
        assert_eq!(tail(&log, 999, 9), "(nothing)");
    }
}
