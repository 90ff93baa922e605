//! Step 1: from raw input to a [`Post`]. Parsed once, checked once; the result respects every limit.
//!
//! A client gets all errors at once: a missing title *and* a content that is too long are two entries of one response.
//! For this reason, the input is first read as a [`Draft`], whatever its fields are, and validated afterwards.

use sluice_core::post::{AUTHOR_MAX_CHARS, CONTENT_MAX_CHARS, Post, TITLE_MAX_CHARS};
use sluice_runtime::health::FieldProblem;
use time::OffsetDateTime;

use crate::draft::Draft;
use crate::key::Key;
use crate::refusal::Refusal;

/// Reads a post as senders write it: `{"title": "…", "content": "…", "author"?: "…", "id"?: "<uuid>"}`.
///
/// Its id is the field `id`, or derived from the key, or new. An invalid key is passed as its error, to be reported
/// together with the other errors. `at` becomes the time of submission.
///
/// # Errors
/// [`Refusal`], with all errors at once.
pub fn read(body: &[u8], key: Result<Option<Key>, FieldProblem>, at: OffsetDateTime) -> Result<Post, Refusal> {
    let draft = Draft::read(body)?;
    let mut faults = Vec::new();
    let title = draft.title.required("title", TITLE_MAX_CHARS, &mut faults);
    let content = draft.content.required("content", CONTENT_MAX_CHARS, &mut faults);
    let author = draft.author.optional("author", AUTHOR_MAX_CHARS, &mut faults);
    let id = draft.id.id(&mut faults);
    faults.extend(draft.twice.into_iter().map(|field| FieldProblem { field, problem: "is given twice".to_owned() }));
    let key = key.map_err(|fault| faults.push(fault)).ok().flatten();
    match (title, content) {
        (Some(title), Some(content)) if faults.is_empty() => {
            let id = id.or_else(|| key.map(|key| key.id())).unwrap_or_default();
            Ok(Post { id, title, content, author, submitted_at: at })
        }
        _ => Err(Refusal::Invalid(faults)),
    }
}

/// The time, UTC, as fine as the column in MySQL, so that the message and the row say the same.
#[must_use]
pub fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_microsecond(now.microsecond()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_core::post::PostId;

    fn read_plainly(body: &str) -> Result<Post, Refusal> {
        read(body.as_bytes(), Ok(None), OffsetDateTime::UNIX_EPOCH)
    }

    /// The errors of a body, as `field problem`.
    fn faults(body: &str) -> Vec<String> {
        match read_plainly(body) {
            Err(Refusal::Invalid(fields)) => fields.iter().map(|at| format!("{} {}", at.field, at.problem)).collect(),
            other => panic!("{body} should have been invalid, but was {other:?}"),
        }
    }

    fn body(title: &str, content: &str, author: &str) -> String {
        serde_json::json!({"title": title, "content": content, "author": author}).to_string()
    }

    #[test]
    fn a_whole_post_is_taken_as_it_is() {
        let id = PostId::new();
        let body = format!(r#" {{"id":"{id}","title":" t ","content":"c\n早","author":"é","mood":[1,{{"a":null}}]}} "#);
        let post = read_plainly(&body).expect("a good post");
        assert_eq!((post.id, post.submitted_at), (id, OffsetDateTime::UNIX_EPOCH));
        assert_eq!((post.title.as_str(), post.content.as_str(), post.author.as_deref()), (" t ", "c\n早", Some("é")));
    }

    #[test]
    fn author_and_id_may_be_left_out_or_null() {
        for body in [r#"{"title":"t","content":"c"}"#, r#"{"title":"t","content":"c","author":null,"id":null}"#] {
            assert_eq!(read_plainly(body).expect("a good post").author, None);
        }
    }

    #[test]
    fn every_field_at_fault_is_named_at_once() {
        let found = faults(r#"{"title":" ","author":[1,[2]],"id":"seven"}"#);
        let expected = [
            "title must not be empty",
            "content is missing",
            "author must be a string, not an array",
            "id must be a UUID",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn every_other_type_is_called_by_its_name() {
        for (value, kind) in [
            ("1", "a number"),
            ("-1", "a number"),
            ("1.5", "a number"),
            ("true", "a boolean"),
            ("null", "null"),
            ("[]", "an array"),
            (r#"{"a":{}}"#, "an object"),
        ] {
            let body = format!(r#"{{"title":{value},"content":"c"}}"#);
            assert_eq!(faults(&body), [format!("title must be a string, not {kind}")]);
        }
    }

    #[test]
    fn a_field_given_twice_is_a_fault_whatever_it_holds() {
        assert_eq!(faults(r#"{"title":"a","content":"c","title":"b","title":"d"}"#), ["title is given twice"]);
    }

    #[test]
    fn the_limits_are_counted_in_characters() {
        let longest =
            body(&"早".repeat(TITLE_MAX_CHARS), &"早".repeat(CONTENT_MAX_CHARS), &"早".repeat(AUTHOR_MAX_CHARS));
        assert!(read_plainly(&longest).is_ok());
        let longer = |max: usize| "早".repeat(max + 1);
        let found = faults(&body(&longer(TITLE_MAX_CHARS), &longer(CONTENT_MAX_CHARS), &longer(AUTHOR_MAX_CHARS)));
        let expected = [
            "title has 256 characters, at most 255 are allowed",
            "content has 100001 characters, at most 100000 are allowed",
            "author has 101 characters, at most 100 are allowed",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn json_that_is_no_object_is_no_post() {
        for other in ["[]", r#"[{"title":"t","content":"c"}]"#, "null", "7", r#""text""#, "true"] {
            assert_eq!(faults(other), ["body must be a JSON object with the fields `title` and `content`"], "{other}");
        }
    }

    #[test]
    fn what_is_no_json_says_where() {
        for (broken, expected) in [
            ("", "not JSON: it is empty"),
            (" \n", "not JSON: it is empty"),
            ("title=t", "not JSON: expected ident at column 2"),
            ("[1,", "not JSON: EOF while parsing a value at column 3"),
            (r#"{"title":"t"} {}"#, "not JSON: trailing characters at column 15"),
            ("{\n\"title\":\n}", "not JSON: expected value at line 3 column 1"),
            (r#"{"title":"\ud800","content":"c"}"#, "not JSON: unexpected end of hex escape at column 17"),
        ] {
            assert_eq!(read_plainly(broken).expect_err(broken).to_string(), expected, "{broken}");
        }
        assert!(matches!(read_plainly(&"[".repeat(100_000)), Err(Refusal::NotJson(_))));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_no_json_wherever_they_stand() {
        for bytes in
            [&b"{\"title\":\"\xff\"}"[..], b"{\"title\":\"t\",\"content\":\"c\",\"other\":\"\xc3\x28\"}", b"\xff\xfe"]
        {
            let refusal = read(bytes, Ok(None), OffsetDateTime::UNIX_EPOCH).expect_err("it is not UTF-8");
            assert!(refusal.to_string().ends_with("is not UTF-8"), "{refusal}");
        }
    }

    #[test]
    fn a_refusal_never_repeats_the_text() {
        for body in [r#"{"title":secret}"#, r#""secret""#, r#"{"title":{"secret":1},"id":"secret"}"#, r#"{"secret""#] {
            let refusal = read_plainly(body).expect_err(body);
            assert!(!format!("{refusal} {refusal:?}").contains("secret"), "{refusal}");
        }
    }

    #[test]
    fn an_id_in_the_body_is_stronger_than_a_key_and_a_key_stronger_than_chance() {
        let key = || Key::read(b"order-1").map(Some);
        let id = PostId::new();
        let plain = r#"{"title":"t","content":"c"}"#;
        let named = format!(r#"{{"title":"t","content":"c","id":"{id}"}}"#);
        let id_of = |body: &str, key| read(body.as_bytes(), key, OffsetDateTime::UNIX_EPOCH).expect("a good post").id;
        assert_eq!(id_of(&named, key()), id);
        assert_eq!(id_of(plain, key()), PostId::from_key("order-1"));
        assert_ne!(id_of(plain, Ok(None)), id_of(plain, Ok(None)));
    }

    #[test]
    fn a_key_that_cannot_be_read_is_named_with_the_other_faults() {
        let key = Key::read(b"with space").map(Some);
        let refusal = read(b"{}", key, OffsetDateTime::UNIX_EPOCH).expect_err("three faults");
        let Refusal::Invalid(fields) = refusal else { panic!("{refusal}") };
        assert_eq!(fields.iter().map(|at| at.field).collect::<Vec<_>>(), ["title", "content", "Idempotency-Key"]);
    }
}
