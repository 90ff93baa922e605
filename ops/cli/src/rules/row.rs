//! One row of a set of texts: a text, and whether the review should stop it.

use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use anyhow::Context as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use sluice_core::post::PostId;
use sluice_core::verdict::Verdict;
use sluice_runtime::output::report;
use sluice_runtime::regular;

use crate::visible::{cut, line};

/// The expected result of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Expect {
    /// Held or rejected.
    Flag,
    /// Approved.
    Clean,
}

impl Expect {
    /// Whether a verdict is what was expected.
    pub(super) fn met_by(self, verdict: Verdict) -> bool {
        (verdict == Verdict::Approved) == (self == Self::Clean)
    }
}

/// A row. What else its line holds is for people.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    #[serde(default)]
    pub(super) title: String,
    pub(super) text: String,
    pub(super) expect: Expect,
    /// The language, however the set names it.
    pub(super) lang: Option<String>,
    /// What kind of text it is, or how it is disguised.
    pub(super) kind: Option<String>,
    /// The id of the post that it was.
    #[serde(default, deserialize_with = "id")]
    pub(super) post: Option<PostId>,
}

/// Sets that are no export may call something else a post.
fn id<'de, D: Deserializer<'de>>(post: D) -> Result<Option<PostId>, D::Error> {
    Ok(Value::deserialize(post)?.as_str().and_then(|post| post.parse().ok()))
}

impl Row {
    /// The beginning of its title and text, on one line.
    pub(super) fn excerpt(&self) -> String {
        let title = if self.title.is_empty() { String::new() } else { format!("{} | ", self.title) };
        cut(&format!("{title}{}", self.text), TEXT_MAX_CHARS)
    }
}

/// A row of a set that is clean as a whole: what else its line holds makes no difference.
#[derive(Debug, Deserialize)]
pub(super) struct CleanRow {
    #[serde(default)]
    pub(super) title: String,
    pub(super) text: String,
}

/// The longest excerpt of a text, in characters.
const TEXT_MAX_CHARS: usize = 70;

/// The longest line that is read: ten times what a post may have.
const LINE_MAX: u64 = 16 << 20;

/// A set: its rows with their line numbers, and the invalid lines with their errors.
#[derive(Debug)]
pub(super) struct Rows<R> {
    pub(super) good: Vec<(usize, R)>,
    pub(super) bad: Vec<(usize, String)>,
}

impl<R: DeserializeOwned> Rows<R> {
    /// Names the invalid lines of a file on stderr; whether there are any.
    pub(super) fn report_bad(&self, file: &str) -> bool {
        self.bad.iter().for_each(|(number, problem)| report_bad(file, *number, problem));
        !self.bad.is_empty()
    }

    /// Reads a whole set.
    ///
    /// # Errors
    /// As [`each`].
    pub(super) fn read(lines: impl BufRead) -> io::Result<Self> {
        let mut rows = Self { good: Vec::new(), bad: Vec::new() };
        each(lines, |number, row| match row {
            Ok(row) => rows.good.push((number, row)),
            Err(problem) => rows.bad.push((number, problem)),
        })?;
        Ok(rows)
    }
}

/// Reads a set row by row: its rows, or what is wrong with them, with their line numbers. Blank lines are ignored.
///
/// # Errors
/// When it cannot be read.
pub(super) fn each<R: DeserializeOwned>(
    mut lines: impl BufRead,
    mut take: impl FnMut(usize, Result<R, String>),
) -> io::Result<()> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if lines.by_ref().take(LINE_MAX).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.len() as u64 == LINE_MAX && !line.ends_with(b"\n") {
            lines.skip_until(b'\n')?;
            take(number, Err(format!("longer than {LINE_MAX} bytes")));
        } else if !line.trim_ascii().is_empty() {
            take(number, serde_json::from_slice(&line).map_err(|error| told(&error)));
        }
    }
    Ok(())
}

/// Names an invalid line of a file on stderr.
pub(super) fn report_bad(file: &str, number: usize, problem: &str) {
    report!("error: {file}:{number}: not a valid row: {}; expected {EXPECTED}", line(problem));
}

/// What a line should be.
const EXPECTED: &str = r#"{"text": "…", "expect": "flag" or "clean"}"#;

/// Opens a set; `-` is stdin.
pub(super) fn open(file: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    if file == Path::new("-") {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let opened = regular::open(file).with_context(|| {
        format!("cannot read {}: give a file with one JSON object per line, {EXPECTED}", file.display())
    })?;
    Ok(Box::new(BufReader::new(opened)))
}

/// The reader counts lines from the beginning of what it was given, which is one line.
fn told(error: &serde_json::Error) -> String {
    let message = sluice_core::json::told(error);
    let what = message.rfind(" at line ").map_or(message.as_str(), |end| &message[..end]);
    format!("column {}: {what}", error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_row_costs_that_line_only() {
        let text = b"{\"text\":\"a\",\"expect\":\"flag\",\"post\":1}\n\n{\"text\":\"b\"}\n\xff\n{\"title\":\"t\",\"text\":\"c\",\
                     \"expect\":\"clean\",\"lang\":\"en\"}";
        let rows: Rows<Row> = Rows::read(&text[..]).expect("a buffer can be read");
        let good: Vec<_> = rows.good.iter().map(|(line, row)| (*line, row.text.as_str(), row.expect)).collect();
        assert_eq!(good, [(1, "a", Expect::Flag), (5, "c", Expect::Clean)]);
        let bad: Vec<_> = rows.bad.iter().map(|(line, _)| *line).collect();
        assert_eq!(bad, [3, 4]);
        assert_eq!(rows.bad[0].1, "column 12: missing field `expect`");
    }

    #[test]
    fn to_be_flagged_is_to_be_held_or_rejected() {
        let met = |expect: Expect| Verdict::ALL.map(|verdict| expect.met_by(verdict));
        assert_eq!(met(Expect::Flag), [false, true, true]);
        assert_eq!(met(Expect::Clean), [true, false, false]);
    }
}
