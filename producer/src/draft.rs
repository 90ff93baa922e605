//! A post as received, before validation: each field as a string, as something else, or missing.
//!
//! A derived deserializer stops at the first unexpected type; this one fails only on invalid JSON. It reads the input
//! once and copies each text once. Unknown fields are skipped, because a newer client may talk to an older producer.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use sluice_core::json;
use sluice_core::post::{PostId, has_visible};
use sluice_runtime::health::FieldProblem;

use crate::refusal::Refusal;

/// A field as received.
#[derive(Default)]
pub enum Field {
    #[default]
    /// Not there.
    Missing,
    /// A string.
    Text(String),
    /// What it is instead of a string, with its article.
    Other(&'static str),
}

impl Field {
    /// Its text, within `max` characters, or an error.
    pub fn required(self, field: &'static str, max: usize, faults: &mut Vec<FieldProblem>) -> Option<String> {
        let problem = match self {
            Self::Missing => "is missing",
            Self::Other(NULL) => "must be a string, not null",
            given => return given.optional(field, max, faults),
        };
        faults.push(FieldProblem { field, problem: problem.to_owned() });
        None
    }

    /// The same, but it may be missing or null.
    pub fn optional(self, field: &'static str, max: usize, faults: &mut Vec<FieldProblem>) -> Option<String> {
        let problem = match self {
            Self::Missing | Self::Other(NULL) => return None,
            Self::Other(kind) => format!("must be a string, not {kind}"),
            Self::Text(text) if !has_visible(&text) => "must not be empty".to_owned(),
            // No text has more characters than bytes.
            Self::Text(text) if text.len() <= max => return Some(text),
            Self::Text(text) => match text.chars().count() {
                chars if chars <= max => return Some(text),
                chars => format!("has {chars} characters, at most {max} are allowed"),
            },
        };
        faults.push(FieldProblem { field, problem });
        None
    }

    /// An id, if there is one, or an error.
    pub fn id(self, faults: &mut Vec<FieldProblem>) -> Option<PostId> {
        let text = self.optional("id", usize::MAX, faults)?;
        let problem = match text.parse::<PostId>() {
            Ok(id) if !id.is_nobodys() => return Some(id),
            Ok(_) => "must be a UUID other than the nil and the max UUID",
            Err(_) => "must be a UUID",
        };
        faults.push(FieldProblem { field: "id", problem: problem.to_owned() });
        None
    }
}

const NULL: &str = "null";

/// A post as received, before validation.
#[derive(Default)]
pub struct Draft {
    /// The title.
    pub title: Field,
    /// The text.
    pub content: Field,
    /// Who wrote it.
    pub author: Field,
    /// The sender's own id.
    pub id: Field,
    /// Fields that were given more than once.
    pub twice: Vec<&'static str>,
}

impl Draft {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// When it is not JSON in UTF-8, or not an object.
    pub fn read(body: &[u8]) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(json::without_mark(body))
            .map_err(|error| Refusal::NotJson(format!("byte {} is not UTF-8", error.valid_up_to() + 1)))?;
        serde_json::from_str(text).map_err(|error| {
            // The reader accepts fields of any type, so the only remaining type error is a body that is not an object.
            // It is found at its first byte; the rest may still be invalid JSON.
            let error = if error.is_data() { serde_json::from_str::<IgnoredAny>(text).err() } else { Some(error) };
            match error {
                None => Refusal::Invalid(vec![FieldProblem {
                    field: "body",
                    problem: "must be a JSON object with the fields `title` and `content`".to_owned(),
                }]),
                Some(_) if text.trim().is_empty() => Refusal::NotJson("it is empty".to_owned()),
                Some(error) => Refusal::NotJson(placed(&error)),
            }
        })
    }
}

/// The error without its line number if there is only one line: in a file of posts, that number would mean something
/// else.
fn placed(error: &serde_json::Error) -> String {
    let told = error.to_string();
    match told.split_once(" at line 1 column ") {
        Some((problem, column)) => format!("{problem} at column {column}"),
        None => told,
    }
}

impl<'de> Deserialize<'de> for Draft {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(DraftVisitor)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Name {
    Title,
    Content,
    Author,
    Id,
    #[serde(other)]
    Unknown,
}

struct DraftVisitor;

impl<'de> Visitor<'de> for DraftVisitor {
    type Value = Draft;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Draft, A::Error> {
        let mut draft = Draft::default();
        while let Some(name) = map.next_key()? {
            let (field, name) = match name {
                Name::Title => (&mut draft.title, "title"),
                Name::Content => (&mut draft.content, "content"),
                Name::Author => (&mut draft.author, "author"),
                Name::Id => (&mut draft.id, "id"),
                Name::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if !matches!(field, Field::Missing) && !draft.twice.contains(&name) {
                draft.twice.push(name);
            }
            *field = map.next_value()?;
        }
        Ok(draft)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(FieldVisitor)
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Field, E> {
        Ok(Field::Text(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Field, E> {
        Ok(Field::Text(text))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Field, E> {
        Ok(Field::Other("a boolean"))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Field, E> {
        Ok(Field::Other("a number"))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Field, E> {
        Ok(Field::Other("a number"))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Field, E> {
        Ok(Field::Other("a number"))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Field, E> {
        Ok(Field::Other(NULL))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Field, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::Other("an array"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Field, A::Error> {
        while items.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Other("an object"))
    }
}
