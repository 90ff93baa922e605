//! Reading a post from a message of a queue that strangers can write to.

use std::borrow::Cow;

use serde::Deserialize;
use time::{OffsetDateTime, UtcOffset};

use super::{BODY_MAX_BYTES, Malformed, Post, PostId, has_visible};
use crate::json;

/// The magic number of gzip.
const GZIP: &[u8] = b"\x1f\x8b";

/// The body of a message, not yet checked.
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

/// A type of its own because serde never borrows an `Option<Cow<str>>`.
#[derive(Deserialize)]
struct WireId<'a>(#[serde(borrow)] Cow<'a, str>);

impl Post {
    /// Reads a post from a message.
    ///
    /// A body without an id takes `message_id`; one without `submitted_at` takes `arrived`. Unknown fields are ignored,
    /// so that an older worker can read what a newer producer writes.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn from_message(body: &[u8], message_id: Option<&str>, arrived: OffsetDateTime) -> Result<Self, Malformed> {
        if body.len() > BODY_MAX_BYTES {
            return Err(Malformed::TooLarge(body.len()));
        }
        let wire: Wire<'_> = serde_json::from_slice(json::without_mark(body)).map_err(|error| {
            let gzip = body.starts_with(GZIP);
            Malformed::NotAPost(if gzip {
                "it is gzip, which only the front door decodes".into()
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
        // Neither a body nor a column can hold a year before 0, and an offset can lead to one.
        let utc = submitted_at.checked_to_offset(UtcOffset::UTC).filter(|utc| utc.year() >= 0);
        let submitted_at = utc.ok_or(Malformed::BadTime(submitted_at))?;
        Ok(Self { id, title: wire.title, content: wire.content, author: wire.author, submitted_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::post::{AUTHOR_MAX_CHARS, BODY_OTHER_BYTES, CONTENT_MAX_CHARS, TITLE_MAX_CHARS};
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

    fn submitted_at(time: &str) -> Result<Post, Malformed> {
        let body = serde_json::json!({"title": "t", "content": "c", "id": PostId::new(), "submitted_at": time});
        Post::from_message(body.to_string().as_bytes(), None, at(0))
    }

    #[test]
    fn a_time_at_the_end_of_time_is_malformed_and_no_panic() {
        assert!(matches!(submitted_at("9999-12-31T23:59:59-12:00"), Err(Malformed::BadTime(_))));
    }

    #[test]
    fn a_time_before_the_year_0_is_malformed_because_it_cannot_be_written_again() {
        assert!(matches!(submitted_at("0000-01-01T00:00:00+00:01"), Err(Malformed::BadTime(_))));
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
}
