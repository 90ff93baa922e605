//! The post: what a user wrote, with the id it keeps from the front door to its row.
//!
//! ```text
//!  Draft ──accept──► Post ──to_body──► queue ──from_message──► Post ──► row
//!  (producer)                                   (worker)
//! ```
//!
//! The limits below are those of the columns in MySQL. The front door checks them; the worker does not check them
//! again, so MySQL itself refuses a longer post that a stranger published, with its own code. Both check what no column
//! refuses: that the title and the content are not blank ([`has_visible`]) and the id is not a placeholder
//! ([`PostId::is_nobodys`]).

mod blank;
mod id;
mod malformed;
mod message;

pub use blank::has_visible;
pub use id::PostId;
pub use malformed::Malformed;

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

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
/// The largest message body that can be a post, in bytes: texts of the greatest lengths in the longest form of JSON.
pub const BODY_MAX_BYTES: usize =
    (TITLE_MAX_CHARS + CONTENT_MAX_CHARS + AUTHOR_MAX_CHARS) * JSON_MAX_BYTES + BODY_OTHER_BYTES;

/// A post that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Post {
    /// Its id: the message id and the primary key.
    pub id: PostId,
    /// The title, at most [`TITLE_MAX_CHARS`] characters.
    pub title: String,
    /// The text, at most [`CONTENT_MAX_CHARS`] characters.
    pub content: String,
    /// Who wrote it, if that is known; at most [`AUTHOR_MAX_CHARS`] characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When the front door accepted it, in UTC.
    #[serde(serialize_with = "rfc3339")]
    pub submitted_at: OffsetDateTime,
}

/// The length of a body without its texts: the names, the punctuation, the id and the time.
const FRAME_BYTES: usize = 136;

impl Post {
    /// The message body: the post as JSON.
    #[must_use]
    pub fn to_body(&self) -> Vec<u8> {
        let texts = self.title.len() + self.content.len() + self.author.as_ref().map_or(0, String::len);
        // One allocation, with room for the line breaks and quotes that take two bytes each in JSON.
        let mut body = Vec::with_capacity(FRAME_BYTES + texts + texts / 16);
        // A struct of strings and a UTC time always has a JSON form; an empty body would be dead-lettered as malformed.
        serde_json::to_writer(&mut body, self).map_or_else(|_| Vec::new(), |()| body)
    }
}

/// Like `time::serde::rfc3339`, but without an allocation.
fn rfc3339<S: Serializer>(at: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = [0; 40];
    let mut rest = text.as_mut_slice();
    at.format_into(&mut rest, &Rfc3339).map_err(S::Error::custom)?;
    // Not the length that `format_into` returns: `time` 0.3.55 does not count the digits of a fraction.
    let left = rest.len();
    let length = text.len() - left;
    serializer.serialize_str(str::from_utf8(&text[..length]).map_err(S::Error::custom)?)
}
