//! The post: what a user wrote, with the id it keeps from the front door to its row.
//!
//! ```text
//!  Draft ──accept──► Post ──to_body──► queue ──from_message──► Post ──► row
//!  (producer)                                   (worker)
//! ```
//!
//! The limits below are those of the columns in MySQL. The front door holds every post to them; the queue does not
//! check them again, so what a stranger put there past them is refused by MySQL itself, with its own code. What no
//! column refuses is refused here, at the front door and out of the queue alike: a post with nothing to see in it
//! ([`has_visible`]), and an id that is nobody's ([`PostId::is_nobodys`]).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use regex::Regex;
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};
use uuid::Uuid;

use crate::json;

/// The longest title, in characters: the width of the column.
pub const TITLE_MAX_CHARS: usize = 255;
/// The longest content, in characters. At four bytes each it stays well under the body limit of the front door and
/// under the smallest `max_allowed_packet` a server ships with (16 MiB on MariaDB).
pub const CONTENT_MAX_CHARS: usize = 100_000;
/// The longest author's name, in characters: the width of the column.
pub const AUTHOR_MAX_CHARS: usize = 100;

/// The most bytes that one character of a text takes in JSON: a pair of escapes, `\ud83d\ude00`.
const JSON_MAX_BYTES: usize = 12;
/// Room in a body for the id, the time, and what other senders and newer versions add.
const BODY_OTHER_BYTES: usize = 64 * 1024;
/// The largest message body that can be a post, in bytes: texts of the greatest lengths in the longest form of JSON. A
/// larger one comes from no front door, and is not read at all.
pub const BODY_MAX_BYTES: usize =
    (TITLE_MAX_CHARS + CONTENT_MAX_CHARS + AUTHOR_MAX_CHARS) * JSON_MAX_BYTES + BODY_OTHER_BYTES;

/// A post's id: its message id in RabbitMQ and its primary key in MySQL, which is what makes a second delivery
/// harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PostId(Uuid);

impl PostId {
    /// The namespace of ids made from idempotency keys (a version 4 UUID, drawn once for Sluice).
    const KEYS: Uuid = Uuid::from_u128(0x6f1c_1f0e_8a0d_4a53_9d5b_2f3a_7c55_e1b4);

    /// Whether it is one that programs write where there is no id: the nil UUID (all zeros) or the max UUID (all ones).
    /// As the id of a post it would swallow every post that comes with it after the first.
    #[must_use]
    pub fn is_nobodys(&self) -> bool {
        self.0.is_nil() || self.0.is_max()
    }

    /// The id that an `Idempotency-Key` stands for: the same key gives the same id, on every machine, for ever.
    #[must_use]
    pub fn from_key(key: &str) -> Self {
        Self(Uuid::new_v5(&Self::KEYS, key.as_bytes()))
    }
}

impl From<Uuid> for PostId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for PostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for PostId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text.trim()).map(Self)
    }
}

/// Whether there is anything to see in a text: a character that is neither white space nor invisible, and not only a
/// mark on another character.
///
/// Invisible are what Unicode lets a program ignore where it has no glyph for it (zero-width characters, fillers,
/// variation selectors, tags), controls, directions of writing, and the two characters whose glyph is blank by design.
#[must_use]
pub fn has_visible(text: &str) -> bool {
    static VISIBLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Mn}\p{Me}\u{2800}\u{1D159}]").ok()
    });
    // Most texts begin with what nobody has to look up.
    let at_once = text.bytes().take(16).any(|byte| byte.is_ascii_graphic());
    at_once || VISIBLE.as_ref().map_or_else(|| !text.trim().is_empty(), |visible| visible.is_match(text))
}

/// A post that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Post {
    /// Its id, the same everywhere.
    pub id: PostId,
    /// The title, at most [`TITLE_MAX_CHARS`] characters.
    pub title: String,
    /// The text, at most [`CONTENT_MAX_CHARS`] characters.
    pub content: String,
    /// Who wrote it, if the sender said so; at most [`AUTHOR_MAX_CHARS`] characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When the front door took it, UTC.
    #[serde(serialize_with = "rfc3339")]
    pub submitted_at: OffsetDateTime,
}

/// How long a body is that has no texts: the names, the signs, the id and the time.
const FRAME_BYTES: usize = 136;

impl Post {
    /// The message body: the post as JSON.
    #[must_use]
    pub fn to_body(&self) -> Vec<u8> {
        let texts = self.title.len() + self.content.len() + self.author.as_ref().map_or(0, String::len);
        // Room for all of it at once, and for the line breaks and quotes that take two bytes each in JSON: a body that
        // grows as it is written is copied again and again.
        let mut body = Vec::with_capacity(FRAME_BYTES + texts + texts / 16);
        // A struct of strings and a UTC time always has a JSON form; an empty body would be dead-lettered as malformed.
        serde_json::to_writer(&mut body, self).map_or_else(|_| Vec::new(), |()| body)
    }

    /// Reads a post from a message.
    ///
    /// A body without an id takes `message_id`; one without `submitted_at` takes `arrived`. Unknown fields are passed
    /// over, so that an older worker can read what a newer producer writes.
    ///
    /// # Errors
    /// [`Malformed`], when the body is too large for a post, is no JSON object with a title and a content in which
    /// there is something to see, or no id can be had.
    pub fn from_message(body: &[u8], message_id: Option<&str>, arrived: OffsetDateTime) -> Result<Self, Malformed> {
        if body.len() > BODY_MAX_BYTES {
            return Err(Malformed::TooLarge(body.len()));
        }
        let wire: Wire<'_> = serde_json::from_slice(json::without_mark(body)).map_err(|error| {
            let gzip = body.starts_with(GZIP);
            Malformed::NotAPost(if gzip {
                "it is gzip, which only the HTTP API decodes".into()
            } else {
                json::told(&error)
            })
        })?;
        let id = wire.id.as_ref().map(|id| &*id.0).or(message_id).ok_or(Malformed::NoId)?;
        let id: PostId = id.parse().map_err(|_| Malformed::BadId)?;
        if id.is_nobodys() {
            return Err(Malformed::NobodysId(id));
        }
        if let Some((field, _)) =
            [("title", &wire.title), ("content", &wire.content)].iter().find(|(_, text)| !has_visible(text))
        {
            return Err(Malformed::Empty(field));
        }
        let submitted_at = wire.submitted_at.unwrap_or(arrived);
        // Neither a body nor a column can hold a year before 0, which an offset can lead to.
        let utc = submitted_at.checked_to_offset(UtcOffset::UTC).filter(|utc| utc.year() >= 0);
        let submitted_at = utc.ok_or(Malformed::BadTime(submitted_at))?;
        Ok(Self { id, title: wire.title, content: wire.content, author: wire.author, submitted_at })
    }
}

/// As `time::serde::rfc3339` has it, but without a text of its own for each time.
fn rfc3339<S: Serializer>(at: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = [0; 40];
    let mut rest = text.as_mut_slice();
    at.format_into(&mut rest, &Rfc3339).map_err(S::Error::custom)?;
    // Not the length that it gives back: `time` 0.3.55 does not count the digits of a fraction.
    let left = rest.len();
    let length = text.len() - left;
    serializer.serialize_str(str::from_utf8(&text[..length]).map_err(S::Error::custom)?)
}

/// How gzip begins.
const GZIP: &[u8] = b"\x1f\x8b";

/// A post as it may come out of a queue that strangers can write to.
#[derive(Deserialize)]
#[serde(expecting = "a JSON object with a title and a content")]
struct Wire<'a> {
    #[serde(borrow)]
    id: Option<WireId<'a>>,
    title: String,
    content: String,
    author: Option<String>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    submitted_at: Option<OffsetDateTime>,
}

/// An id as it stands in the body. A type of its own, as no `Option<Cow<str>>` is ever borrowed.
#[derive(Deserialize)]
struct WireId<'a>(#[serde(borrow)] Cow<'a, str>);

/// Why a message is no post. It never will be one, so trying again is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// No post has so large a body.
    #[error("the message body has {0} bytes, more than the maximum of {BODY_MAX_BYTES} for a post; it was not read")]
    TooLarge(usize),
    /// The body is not a JSON object with the fields of a post.
    #[error("the message body is not a post: {0}")]
    NotAPost(String),
    /// There is nothing to see in this field.
    #[error("the post's {0} is empty")]
    Empty(&'static str),
    /// The id is not a UUID.
    #[error("the post's id is not a UUID")]
    BadId,
    /// The id is one that stands for none, see [`PostId::is_nobodys`].
    #[error("the post's id {0} is the nil or the max UUID, which does not identify a post")]
    NobodysId(PostId),
    /// The time of submission has no form in UTC.
    #[error("the post's submitted_at {0} is out of range")]
    BadTime(OffsetDateTime),
    /// Neither the body nor the message's properties hold an id.
    #[error("the message has no id: neither a field `id` in its body nor a `message_id` property")]
    NoId,
}

impl Malformed {
    /// The short name under which dead letters are filtered.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "too_large",
            Self::NotAPost(_) | Self::Empty(_) | Self::BadId | Self::NobodysId(_) | Self::BadTime(_) | Self::NoId => {
                "malformed"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(seconds).expect("a time within the years of time::OffsetDateTime")
    }

    proptest! {
        #[test]
        fn what_was_written_to_the_queue_is_read_back(
            title in "t.*", content in "(?s)c.*", author in proptest::option::of(".*"), seconds in 0i64..4_000_000_000,
            fraction in prop_oneof![Just(0u32), 0u32..1_000_000_000],
        ) {
            let submitted_at = at(seconds).replace_nanosecond(fraction).expect("less than a second");
            let post = Post { id: PostId::new(), title, content, author, submitted_at };
            prop_assert_eq!(Post::from_message(&post.to_body(), None, at(0)), Ok(post));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Post::from_message(&body, None, at(0));
        }
    }

    #[test]
    fn a_body_without_an_id_takes_the_message_id() {
        let id = PostId::new();
        let post = Post::from_message(br#"{"title":"t","content":"c"}"#, Some(&id.to_string()), at(7));
        assert_eq!(post.as_ref().map(|post| post.id), Ok(id));
        assert_eq!(post.map(|post| post.submitted_at), Ok(at(7)));
    }

    #[test]
    fn a_body_with_neither_id_is_malformed() {
        assert_eq!(Post::from_message(br#"{"title":"t","content":"c"}"#, None, at(0)), Err(Malformed::NoId));
    }

    #[test]
    fn an_id_that_is_no_uuid_is_malformed() {
        let bad = Post::from_message(br#"{"id":"seven","title":"t","content":"c"}"#, None, at(0));
        assert_eq!(bad, Err(Malformed::BadId));
    }

    #[test]
    fn a_time_at_the_end_of_time_is_malformed_and_no_panic() {
        let body = format!(
            r#"{{"id":"{}","title":"t","content":"c","submitted_at":"9999-12-31T23:59:59-12:00"}}"#,
            PostId::new()
        );
        let post = Post::from_message(body.as_bytes(), None, at(0));
        assert!(matches!(post, Err(Malformed::BadTime(_))), "{post:?}");
    }

    #[test]
    fn a_time_before_the_year_0_is_malformed_because_it_cannot_be_written_again() {
        let body = format!(
            r#"{{"id":"{}","title":"t","content":"c","submitted_at":"0000-01-01T00:00:00+00:01"}}"#,
            PostId::new()
        );
        let post = Post::from_message(body.as_bytes(), None, at(0));
        assert!(matches!(post, Err(Malformed::BadTime(_))), "{post:?}");
    }

    #[test]
    fn what_is_told_of_a_malformed_message_has_none_of_its_text_and_is_short() {
        let long = "a private message ".repeat(100_000);
        for body in [
            serde_json::json!(long),
            serde_json::json!({"title": [long], "content": "c"}),
            serde_json::json!({"title": "t", "content": {"text": long}}),
            serde_json::json!({"title": "t", "content": "c", "id": long}),
            serde_json::json!({"title": "t", "content": "c", "submitted_at": long}),
        ] {
            let malformed = Post::from_message(body.to_string().as_bytes(), None, at(0)).expect_err("it is no post");
            let told = format!("{malformed} {malformed:?}");
            assert!(told.len() < 300 && !told.contains("private"), "{told}");
        }
    }

    #[test]
    fn a_byte_order_mark_before_the_body_is_skipped() {
        let body = format!("\u{feff}{{\"id\":\"{}\",\"title\":\"t\",\"content\":\"c\"}}", PostId::new());
        assert!(Post::from_message(body.as_bytes(), None, at(0)).is_ok());
    }

    #[test]
    fn an_id_that_stands_for_none_is_malformed_wherever_it_stands() {
        for id in ["00000000-0000-0000-0000-000000000000", "{FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF}"] {
            let body = serde_json::json!({"title": "t", "content": "c", "id": id}).to_string();
            let in_body = Post::from_message(body.as_bytes(), None, at(0));
            let in_properties = Post::from_message(br#"{"title":"t","content":"c"}"#, Some(id), at(0));
            for post in [in_body, in_properties] {
                assert!(matches!(post, Err(Malformed::NobodysId(_))), "{post:?}");
            }
        }
    }

    #[test]
    fn a_post_with_nothing_to_see_in_it_is_malformed() {
        for (title, content, empty) in [("\u{200b}", "c", "title"), ("t", "\u{3164}\n", "content"), ("", "", "title")] {
            let body = serde_json::json!({"title": title, "content": content}).to_string();
            let post = Post::from_message(body.as_bytes(), Some(&PostId::new().to_string()), at(0));
            assert_eq!(post, Err(Malformed::Empty(empty)));
        }
    }

    #[test]
    fn compressed_messages_are_called_what_they_are() {
        let told = Post::from_message(b"\x1f\x8b\x08\0\0\0", None, at(0)).expect_err("it is no JSON").to_string();
        assert!(told.contains("gzip"), "{told}");
    }

    #[test]
    fn what_nobody_can_see_is_no_text() {
        for invisible in [
            "",
            " \t\r\n",
            "\u{a0}\u{2003}\u{3000}\u{2028}",
            "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}",
            "\u{3164}",
            "\u{ffa0}",
            "\u{115f}\u{1160}",
            "\u{2800}\u{2800}",
            "\u{ad}",
            "\u{180e}\u{180b}\u{180f}",
            "\u{34f}",
            "\u{fe0f}",
            "\u{fe00}\u{e0100}",
            "\u{e0001}\u{e0041}\u{e007f}",
            "\u{61c}\u{202e}\u{2066}\u{2069}",
            "\u{fff9}\u{fffb}",
            "\u{0}\u{1b}\u{7f}\u{85}",
            "\u{301}\u{20dd}\u{20e3}",
            "\u{1d159}\u{1d173}",
            "\u{17b4}\u{2065}\u{fff0}",
        ] {
            assert!(!has_visible(invisible), "{invisible:?}");
        }
        for visible in [
            "t",
            "\u{200b}t",
            ".",
            "早",
            "é",
            "e\u{301}",
            "❤\u{fe0f}",
            "👩\u{200d}👩",
            "1\u{fe0f}\u{20e3}",
            "🏴\u{e0067}\u{e007f}",
            "\u{feff}                    x",
            "\u{fffd}",
            "\u{e000}",
            "नि",
            "ـ",
            "가",
            "ᄀ",
        ] {
            assert!(has_visible(visible), "{visible:?}");
        }
    }

    #[test]
    fn the_longest_post_in_the_longest_form_of_json_is_read_and_a_larger_body_is_not() {
        let escaped = |chars: usize| "\\ud83d\\ude00".repeat(chars);
        let [title, content, author] = [TITLE_MAX_CHARS, CONTENT_MAX_CHARS, AUTHOR_MAX_CHARS].map(escaped);
        let body =
            format!(r#"{{"title":"{title}","content":"{content}","author":"{author}","id":"{}"}}"#, PostId::new());
        assert!(Post::from_message(body.as_bytes(), None, at(0)).is_ok());
        let larger = format!("{body}{}", " ".repeat(BODY_OTHER_BYTES));
        let refused = Post::from_message(larger.as_bytes(), None, at(0)).expect_err("no front door makes it");
        assert_eq!((refused.code(), &refused), ("too_large", &Malformed::TooLarge(larger.len())));
    }

    #[test]
    fn fields_of_a_newer_producer_are_skipped() {
        let body = format!(r#"{{"id":"{}","title":"t","content":"c","mood":"sunny"}}"#, PostId::new());
        assert!(Post::from_message(body.as_bytes(), None, at(0)).is_ok());
    }

    #[test]
    fn the_same_key_gives_the_same_id() {
        assert_eq!(PostId::from_key("order-1"), PostId::from_key("order-1"));
        assert_ne!(PostId::from_key("order-1"), PostId::from_key("order-2"));
    }
}
