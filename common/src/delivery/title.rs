//! The title in a body, read without making anything of the rest: a stranger's body may be of any size and shape, and
//! its values in memory many times as large.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The title, where the body is a JSON object with one that is a text.
pub(super) fn title(body: &[u8]) -> Option<String> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let title = json.deserialize_any(Body).ok()?;
    json.end().ok()?;
    title
}

struct Body;

impl<'de> Visitor<'de> for Body {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut title = None;
        while let Some(Name(name)) = map.next_key()? {
            // As with all readers of JSON here, the last of several counts.
            if name { title = map.next_value::<Text>()?.0 } else { map.next_value::<IgnoredAny>().map(drop)? }
        }
        Ok(title)
    }
}

/// Whether a key is `title`.
struct Name(bool);

impl<'de> serde::Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Key;
        impl Visitor<'_> for Key {
            type Value = Name;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_str<E>(self, key: &str) -> Result<Name, E> {
                Ok(Name(key == "title"))
            }
        }
        deserializer.deserialize_str(Key)
    }
}

/// A text, or nothing where it is anything else.
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
                Ok(Text(Some(super::letter::bounded(text, super::letter::FIELD_MAX_BYTES))))
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
            assert_eq!(title(body.as_bytes()).as_deref(), found, "{body}");
        }
    }

    #[test]
    fn a_title_of_any_length_is_cut_and_marked() {
        let body = format!(r#"{{"title":"{}"}}"#, "ä".repeat(1 << 20));
        let title = title(body.as_bytes()).expect("there is one");
        assert!(title.len() <= super::super::letter::FIELD_MAX_BYTES && title.ends_with('…'), "{}", title.len());
    }
}
