//! Why a message is not a post.

use time::OffsetDateTime;

use super::{BODY_MAX_BYTES, PostId};

/// Why a message is not a post. Retrying does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The body is larger than that of any post.
    #[error("the message body has {0} bytes, and that of a post has at most {BODY_MAX_BYTES}; it was not read")]
    TooLarge(usize),
    /// The body is not a JSON object with the fields of a post.
    #[error("the message body is not a post: {0}")]
    NotAPost(String),
    /// This field is blank.
    #[error("the post's {0} is empty")]
    Empty(&'static str),
    /// The id is not a UUID.
    #[error("the post's id is not a UUID")]
    BadId,
    /// The id is a placeholder, see [`PostId::is_nobodys`].
    #[error("the post's id {0} stands for no id, and would be that of other posts too")]
    NobodysId(PostId),
    /// The time of submission has no form in UTC.
    #[error("the post's submitted_at {0} is out of range")]
    BadTime(OffsetDateTime),
    /// Neither the body nor the message's properties hold an id.
    #[error("the message has no id: neither a field `id` in its body nor a `message_id` property")]
    NoId,
}

impl Malformed {
    /// The code by which dead letters are filtered.
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
