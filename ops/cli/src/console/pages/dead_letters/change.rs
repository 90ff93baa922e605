//! What an edit changes in a body, field by field, shortened to what differs.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::visible::block;

/// How many characters stand on both sides of what differs.
const AROUND: usize = 40;
/// The most characters of what differs.
const MAX_CHARS: usize = 2_000;

/// A field that differs. No text has a hidden character.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// The field, or `body` where it has none.
    pub(super) field: String,
    /// What it was, around the difference; none: the field was not there.
    pub(super) before: Option<String>,
    /// What it becomes.
    pub(super) after: Option<String>,
}

/// The fields in which two bodies differ.
pub(super) fn changes(before: &[u8], after: &[u8]) -> Vec<Change> {
    let object = |body| serde_json::from_slice::<Map<String, Value>>(body).ok();
    match (object(before), object(after)) {
        (Some(before), Some(after)) => {
            let fields: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            let differ = fields.into_iter().filter(|field| before.get(*field) != after.get(*field));
            differ.map(|field| Change::new(field, told(before.get(field)), told(after.get(field)))).collect()
        }
        _ if before == after => Vec::new(),
        _ => {
            let text = |body| Some(String::from_utf8_lossy(body).into_owned());
            vec![Change::new("body", text(before), text(after))]
        }
    }
}

/// A text as it is; anything else as JSON.
fn told(value: Option<&Value>) -> Option<String> {
    value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

impl Change {
    fn new(field: &str, before: Option<String>, after: Option<String>) -> Self {
        let (one, other) = (before.as_deref().unwrap_or_default(), after.as_deref().unwrap_or_default());
        let same = |(one, other): &(char, char)| one == other;
        let begins = one.chars().zip(other.chars()).take_while(same).count();
        let (length, other_length) = (one.chars().count(), other.chars().count());
        let rest = length.min(other_length) - begins;
        let ends = one.chars().rev().zip(other.chars().rev()).take_while(same).count().min(rest);
        let around = |text: &str, length: usize| {
            let (from, to) = (begins.saturating_sub(AROUND), (length - ends + AROUND).min(length));
            let shown = (to - from).min(2 * AROUND + MAX_CHARS);
            let cut: String = text.chars().skip(from).take(shown).collect();
            let (before, behind) = (if from > 0 { "…" } else { "" }, if from + shown < length { "…" } else { "" });
            block(&format!("{before}{cut}{behind}"))
        };
        Self {
            field: block(field),
            before: before.as_deref().map(|text| around(text, length)),
            after: after.as_deref().map(|text| around(text, other_length)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(field: &str, before: Option<&str>, after: Option<&str>) -> Change {
        Change { field: field.to_owned(), before: before.map(str::to_owned), after: after.map(str::to_owned) }
    }

    #[test]
    fn a_change_is_told_by_its_fields_and_shortened_to_what_differs() {
        let told = changes(br#"{"a":"x","b":1,"same":[1]}"#, br#"{"b":"1","c":null,"same":[1]}"#);
        let expected =
            [change("a", Some("x"), None), change("b", Some("1"), Some("1")), change("c", None, Some("null"))];
        assert_eq!(told, expected);
        let long = "w".repeat(100);
        let (before, after) = (format!("{long}old{long}"), format!("{long}new{long}"));
        let told = changes(before.as_bytes(), after.as_bytes());
        let around = "w".repeat(40);
        let shown = |word: &str| format!("…{around}{word}{around}…");
        assert_eq!(told, [change("body", Some(&shown("old")), Some(&shown("new")))]);
        assert_eq!(changes(br#"{"a": 1}"#, br#"{"a":1}"#), []);
        assert_eq!(changes(b"aa", b"aaa"), [change("body", Some("aa"), Some("aaa"))]);
        let told = changes(b"", "x".repeat(9_000).as_bytes());
        assert!(told[0].after.as_ref().is_some_and(|after| after.chars().count() == 2_081), "{told:?}");
    }
}
