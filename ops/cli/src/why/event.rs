//! One thing that happened to a post.

use serde::Serialize;
use time::OffsetDateTime;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Event {
    /// When, UTC; `None` if nobody wrote it down, or it has yet to happen.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(super) at: Option<OffsetDateTime>,
    /// In a word or two.
    pub(super) what: &'static str,
    /// The circumstances.
    pub(super) detail: String,
}
