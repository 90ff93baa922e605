//! A message in the work queue, before the first zero byte its id.

use sluice_core::failure::{Failure, Kind};
use sluice_core::post::Post;
use time::OffsetDateTime;

/// The longest account of what is wrong with a message, in bytes: it goes into a log line and a header.
const TOLD_MAX: usize = 2048;

/// It is a post that survives another trip through a queue, or malformed for a reason that is short and not the post's
/// text as a whole.
pub(crate) fn holds(bytes: &[u8]) {
    let at = bytes.iter().position(|byte| *byte == 0);
    let id = at.map(|at| String::from_utf8_lossy(&bytes[..at]).into_owned()).filter(|id| !id.is_empty());
    let body = &bytes[at.map_or(0, |at| at + 1)..];
    let arrived = OffsetDateTime::UNIX_EPOCH;
    match Post::from_message(body, id.as_deref(), arrived) {
        Ok(post) => {
            let again = Post::from_message(&post.to_body(), None, OffsetDateTime::now_utc());
            assert_eq!(again.as_ref(), Ok(&post), "what was read is not what is written");
        }
        Err(malformed) => {
            let failure = Failure::from(malformed);
            assert_eq!((failure.kind, failure.code.as_str()), (Kind::Permanent, "malformed"));
            assert!(failure.message.len() <= TOLD_MAX, "{} bytes are told", failure.message.len());
        }
    }
}
