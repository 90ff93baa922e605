//! What a body says about its post, read without parsing the rest: a body from another program may have any size and
//! shape, and its values could be many times as large in memory.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use sluice_core::dead_letter::cut;

/// The longest message and title of a summary, in bytes, and the longest of all its other texts. What is longer is cut,
/// and ends with `…`; the dead letter itself has the whole.
pub(super) const FIELD_MAX_BYTES: usize = 8 * 1024;

/// The fields that identify a post; each is `None` if it is not a text.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) id: Option<String>,
    pub(super) title: Option<String>,
    pub(super) author: Option<String>,
    pub(super) submitted_at: Option<String>,
}

impl Said {
    /// Reads a body; the result is empty if it is not a JSON object.
    pub(super) fn by(body: &[u8]) -> Self {
        let mut json = serde_json::Deserializer::from_slice(body);
        let said = json.deserialize_any(Body);
        if json.end().is_ok() { said.unwrap_or_default() } else { Self::default() }
    }
}

/// The text, cut to so many bytes and marked if it is longer.
pub(super) fn bounded(text: &str, most: usize) -> String {
    if text.len() <= most { text.to_owned() } else { cut(text, most - '…'.len_utf8()) }
}

struct Body;

impl<'de> Visitor<'de> for Body {
    type Value = Said;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Said, A::Error> {
        let mut said = Said::default();
        while let Some(Name(name)) = map.next_key()? {
            // Of duplicate keys, the last one counts, as everywhere in this project.
            match name {
                Some(Field::Id) => said.id = map.next_value::<Text>()?.0,
                Some(Field::Title) => said.title = map.next_value::<Text>()?.0,
                Some(Field::Author) => said.author = map.next_value::<Text>()?.0,
                Some(Field::SubmittedAt) => said.submitted_at = map.next_value::<Text>()?.0,
                None => map.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        Ok(said)
    }
}

enum Field {
    Id,
    Title,
    Author,
    SubmittedAt,
}

/// Which field a key names.
struct Name(Option<Field>);

impl<'de> serde::Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Key;
        impl Visitor<'_> for Key {
            type Value = Name;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_str<E>(self, key: &str) -> Result<Name, E> {
                Ok(Name(match key {
                    "id" => Some(Field::Id),
                    "title" => Some(Field::Title),
                    "author" => Some(Field::Author),
                    "submitted_at" => Some(Field::SubmittedAt),
                    _ => None,
                }))
            }
        }
        deserializer.deserialize_str(Key)
    }
}

/// A text, or `None` for anything else.
struct Text(Option<String>);

impl<'de> serde::Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text(Some(bounded(text, FIELD_MAX_BYTES))))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Text, E> {
                Ok(Text(None))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Text, E> {
                Ok(Text(None))
            }
            fn visit_u64<E>(self, _: u64) -> Result<Text, E> {
                Ok(Text(None))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Text, E> {
                Ok(Text(None))
            }
            fn visit_unit<E>(self) -> Result<Text, E> {
                Ok(Text(None))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Text, A::Error> {
                while values.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_found_in_an_object_and_nothing_else_is_one() {
        for (body, found) in [
            (r#"{"content":[1,{"title":"inner"}],"title":"a\u0062","x":{}}"#, Some("ab")),
            (r#"{"title":"first","title":"last"}"#, Some("last")),
            (r#"{"title":"first","title":7}"#, None),
            (r#"{"title":["x"]}"#, None),
            (r#"{"title":{"title":"x"}}"#, None),
            (r#"{"title":null}"#, None),
            (r#"{"title":"cut"#, None),
            (r#"{"title":"x"} y"#, None),
            (r#"["title","x"]"#, None),
            ("", None),
        ] {
            assert_eq!(Said::by(body.as_bytes()).title.as_deref(), found, "{body}");
        }
    }

    #[test]
    fn the_other_fields_are_found_as_well() {
        let said = Said::by(br#"{"author":"ann","id":"x","submitted_at":"then","content":{"id":"y"}}"#);
        let found = (said.id.as_deref(), said.author.as_deref(), said.submitted_at.as_deref());
        assert_eq!(found, (Some("x"), Some("ann"), Some("then")));
    }

    #[test]
    fn a_title_of_any_length_is_cut_and_marked() {
        let body = format!(r#"{{"title":"{}"}}"#, "ä".repeat(1 << 20));
        let title = Said::by(body.as_bytes()).title.expect("there is one");
        assert!(title.len() <= FIELD_MAX_BYTES && title.ends_with('…'), "{}", title.len());
    }
}
