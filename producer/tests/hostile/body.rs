//! The body of one post, before the first zero byte its idempotency key.

use sluice_core::post::{AUTHOR_MAX_CHARS, CONTENT_MAX_CHARS, Post, TITLE_MAX_CHARS, has_visible};
use sluice_producer::http::problem;
use sluice_producer::key::{KEY_MAX, Key};
use sluice_producer::refusal::Refusal;
use sluice_producer::submit::read;
use time::OffsetDateTime;

/// It is refused with a reason, or is a post within every limit that a worker reads as it was accepted.
pub(crate) fn holds(bytes: &[u8]) {
    let at = bytes.iter().position(|byte| *byte == 0);
    let key = at.map(|at| Key::read(&bytes[..at]));
    if let Some((key, at)) = key.as_ref().zip(at) {
        let valid = (1..=KEY_MAX).contains(&at) && bytes[..at].iter().all(u8::is_ascii_graphic);
        assert_eq!(key.is_ok(), valid, "a key of {at} bytes");
    }
    let body = &bytes[at.map_or(0, |at| at + 1)..];
    let submitted_at = OffsetDateTime::UNIX_EPOCH;
    let submit = || read(body, key.clone().transpose(), submitted_at);
    match submit() {
        Ok(post) => {
            within(&post.title, TITLE_MAX_CHARS);
            within(&post.content, CONTENT_MAX_CHARS);
            if let Some(author) = &post.author {
                within(author, AUTHOR_MAX_CHARS);
            }
            let read = Post::from_message(&post.to_body(), None, OffsetDateTime::now_utc());
            assert_eq!(read.as_ref(), Ok(&post), "a worker reads something else");
            if key.is_some() {
                assert_eq!(submit().map(|post| post.id), Ok(post.id), "the same key is another post");
            }
        }
        Err(refusal) => {
            if let Refusal::Invalid(fields) = &refusal {
                assert!(!fields.is_empty(), "refused for nothing");
            }
            let status = problem::refused(refusal).status.as_u16();
            assert!(matches!(status, 400 | 422), "{status}");
        }
    }
}

fn within(text: &str, limit: usize) {
    assert!(has_visible(text) && text.chars().count() <= limit, "{} characters", text.chars().count());
}
