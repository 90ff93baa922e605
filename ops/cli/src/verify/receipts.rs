//! The receipts: one accepted id per line.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Context as _;
use sluice_core::config::ConfigError;
use sluice_core::post::PostId;

use crate::visible::cut;

/// How many characters an id has.
const ID_LENGTH: usize = 36;
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
fn from_lines(mut lines: impl BufRead) -> anyhow::Result<Receipts> {
    let mut receipts = Receipts::default();
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        let whole = text.ends_with('\n');
        let text = text.trim();
        if text.is_empty() || !whole && is_begun(text) {
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

/// Whether a last line is the beginning of an id: a running producer is about to write the rest, or had no room for it.
fn is_begun(text: &str) -> bool {
    text.len() < ID_LENGTH && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_receipt_that_is_not_complete_is_not_counted_and_no_mistake() {
        let (one, two) = (PostId::new(), PostId::new().to_string());
        let receipts = from_lines(format!("{one}\n{}", &two[..20]).as_bytes()).expect("good lines");
        assert_eq!((receipts.ids.len(), receipts.repeated), (1, 0));
        assert!(from_lines(format!("{}\n{one}\n", &two[..20]).as_bytes()).is_err(), "it is not the last one");
    }

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
