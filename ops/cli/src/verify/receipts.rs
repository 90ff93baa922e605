//! The receipts: one accepted id per line.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Context as _;
use sluice_core::config::ConfigError;
use sluice_core::post::PostId;

use crate::visible::cut;

/// The widest piece of a bad line that is repeated, in characters.
const SHOWN: usize = 60;

/// What was accepted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Receipts {
    /// Each id once.
    pub(super) ids: HashSet<PostId>,
    /// Lines that repeat an earlier one: an idempotent submission has a receipt each time.
    pub(super) repeated: u64,
}

/// Reads a file, or stdin for `-`.
///
/// # Errors
/// A [`ConfigError`] for a file that cannot be opened and for a line that is no id, with its number.
pub(super) fn read(path: &Path) -> anyhow::Result<Receipts> {
    if path == Path::new("-") {
        return from_lines(std::io::stdin().lock());
    }
    let shown = cut(&path.display().to_string(), 200);
    let wrong = |error: std::io::Error| ConfigError::new("--receipts", format!("{shown}: {error}"));
    from_lines(BufReader::new(File::open(path).map_err(wrong)?)).with_context(|| shown.clone())
}

/// Bytes, not text, so that any bad line can be reported.
fn from_lines(lines: impl BufRead) -> anyhow::Result<Receipts> {
    let mut receipts = Receipts::default();
    for (number, line) in (1u64..).zip(lines.split(b'\n')) {
        let line = line?;
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        let id: PostId = text.parse().map_err(|_| {
            let problem = format!("line {number} is not an id (a UUID): {}", cut(text, SHOWN));
            ConfigError::new("--receipts", problem)
        })?;
        if !receipts.ids.insert(id) {
            receipts.repeated += 1;
        }
    }
    Ok(receipts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_counts_once_and_repetitions_are_counted() {
        let (one, two) = (PostId::new(), PostId::new());
        let text = format!("{one}\n{two}\r\n\n  {one}\n{two}");
        let receipts = from_lines(text.as_bytes()).expect("good lines");
        assert_eq!((receipts.ids.len(), receipts.repeated), (2, 2));
        assert!(receipts.ids.contains(&one) && receipts.ids.contains(&two));
    }

    #[test]
    fn a_bad_line_is_named_by_its_number_and_cannot_harm_the_terminal() {
        let text = [format!("{}\n", PostId::new()).as_bytes(), b"\n\x1b[2J\xff not an id\n"].concat();
        let error = from_lines(text.as_slice()).expect_err("a bad line");
        assert!(error.is::<ConfigError>(), "wrong usage");
        let text = error.to_string();
        assert!(text.contains("--receipts: line 3") && text.contains("not an id"), "{text}");
        assert!(text.chars().all(|c| !c.is_control()), "{text:?}");
    }

    #[test]
    fn a_missing_file_is_wrong_usage() {
        let error = read(Path::new("/nowhere/at/all")).expect_err("no such file");
        assert!(error.is::<ConfigError>(), "{error}");
    }
}
