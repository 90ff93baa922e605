//! A line for each dead letter of a snapshot.

use std::collections::HashMap;

use sluice_core::disposition::Class;
use sluice_rabbit::dead_letters::DeadLetterSummary;
use time::OffsetDateTime;

use crate::visible::cut;

/// The most dead letters that have a line each; the others are counted in their groups.
const LINES: usize = 200_000;
/// The longest title of a line, in characters.
const TITLE_MAX_CHARS: usize = 80;

/// One line for each dead letter, in their order. All texts stand in one string: hundreds of thousands of small ones
/// would take three times the memory.
#[derive(Default)]
pub(super) struct Lines {
    text: String,
    lines: Vec<Line>,
    kinds: Vec<(Class, Box<str>, Box<str>)>,
    by_kind: HashMap<(Class, Box<str>, Box<str>), u32>,
}

struct Line {
    start: u32,
    id: u16,
    title: u16,
    found: u8,
    kind: u32,
    attempts: u32,
    replays: u32,
    last_failed_at: Option<i64>,
}

/// One dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// Its id.
    pub(crate) id: &'a str,
    /// The title of its post, cut; empty if there is none.
    pub(crate) title: &'a str,
    /// Why it was dead-lettered.
    pub(crate) class: Class,
    /// The failure's code.
    pub(crate) code: &'a str,
    /// What all dead letters of one kind share.
    pub(crate) fingerprint: &'a str,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// How often it was replayed.
    pub(crate) replays: u32,
    /// When it failed last.
    pub(crate) last_failed_at: Option<OffsetDateTime>,
    found: u8,
}

impl Entry<'_> {
    /// Whether the search with this number found something in it.
    pub(super) fn is_found(&self, search: usize) -> bool {
        self.found >> search & 1 == 1
    }
}

impl Lines {
    /// Adds a dead letter, with the searches that found something in it, by their bits.
    pub(super) fn add(&mut self, dead_letter: &DeadLetterSummary, found: u8) {
        let start = u32::try_from(self.text.len());
        let (Ok(start), true) = (start, self.lines.len() < LINES) else { return };
        let DeadLetterSummary { class, code, fingerprint, .. } = dead_letter;
        let kind = (*class, code.as_str().into(), fingerprint.as_str().into());
        let kind = *self.by_kind.entry(kind).or_insert_with_key(|kind| {
            self.kinds.push(kind.clone());
            u32::try_from(self.kinds.len() - 1).unwrap_or(u32::MAX)
        });
        let title = dead_letter.title.as_deref().map(|title| cut(title, TITLE_MAX_CHARS)).unwrap_or_default();
        self.text.push_str(&dead_letter.id);
        self.text.push_str(&title);
        let bytes = |text: &str| u16::try_from(text.len()).unwrap_or(u16::MAX);
        self.lines.push(Line {
            start,
            id: bytes(&dead_letter.id),
            title: bytes(&title),
            found,
            kind,
            attempts: dead_letter.attempts,
            replays: dead_letter.replays,
            last_failed_at: dead_letter.last_failed_at.map(OffsetDateTime::unix_timestamp),
        });
    }

    /// Nothing more is added.
    pub(super) fn finish(&mut self) {
        self.by_kind = HashMap::new();
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Each of them.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.lines.iter().filter_map(|line| self.entry(line))
    }

    fn entry(&self, line: &Line) -> Option<Entry<'_>> {
        let start = usize::try_from(line.start).ok()?;
        let (id, title) = (usize::from(line.id), usize::from(line.title));
        let (class, code, fingerprint) = self.kinds.get(usize::try_from(line.kind).ok()?)?;
        Some(Entry {
            id: self.text.get(start..start + id)?,
            title: self.text.get(start + id..start + id + title)?,
            class: *class,
            code,
            fingerprint,
            attempts: line.attempts,
            replays: line.replays,
            found: line.found,
            last_failed_at: line.last_failed_at.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_back_as_it_was_and_takes_little() {
        let mut lines = Lines::default();
        let dead_letter = |number: u32, title: Option<&str>| DeadLetterSummary {
            id: format!("id-{number}"),
            class: Class::Permanent,
            code: format!("code_{}", number % 3),
            message: "m".repeat(8000),
            fingerprint: "f".to_owned(),
            attempts: number,
            first_failed_at: None,
            last_failed_at: OffsetDateTime::from_unix_timestamp(i64::from(number)).ok(),
            worker: String::new(),
            replays: 2,
            title: title.map(str::to_owned),
            author: None,
            sender: None,
            post: None,
            submitted_at: None,
        };
        lines.add(&dead_letter(7, Some("Größe\u{202e}")), 0b101);
        lines.add(&dead_letter(8, None), 0);
        lines.add(&dead_letter(10, Some(&"x".repeat(500))), 0);
        let entries: Vec<_> = lines.lines.iter().map(|line| lines.entry(line).expect("it is there")).collect();
        assert_eq!((entries[0].id, entries[0].title), ("id-7", "Größe\\u{202e}"));
        assert_eq!((entries[1].id, entries[1].title, entries[1].code), ("id-8", "", "code_2"));
        assert_eq!((entries[2].title.chars().count(), entries[2].attempts, entries[2].code), (80, 10, "code_1"));
        assert_eq!([0, 1, 2].map(|search| entries[0].is_found(search)), [true, false, true]);
        assert_eq!(lines.kinds.len(), 2);
        assert!(size_of::<Line>() <= 40);
    }
}
