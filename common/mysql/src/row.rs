//! A row of the table of posts: before it is stored, the outcome of storing it, and as it is read back.

use serde::Serialize;
use sluice_core::failure::Failure;
use sluice_core::name::SenderName;
use sluice_core::post::Post;
use sluice_core::verdict::Review;
use time::OffsetDateTime;

/// A reviewed post, ready to be stored.
#[derive(Debug, Clone)]
pub struct Row {
    /// The post.
    pub post: Post,
    /// What the review said.
    pub review: Review,
    /// When, UTC.
    pub reviewed_at: OffsetDateTime,
    /// Which attempt this is, from 1.
    pub attempts: u32,
    /// Which sender it came from; none where anybody may send, or the message names none.
    pub sender: Option<SenderName>,
}

impl Row {
    /// The least room that it needs in a packet to the server, in bytes: its texts and what the review found.
    pub(super) fn packet_bytes(&self) -> usize {
        let Review { reasons, scores, ruleset, .. } = &self.review;
        let json = |list: Result<String, serde_json::Error>| list.map_or(0, |text| text.len());
        self.bytes() + json(serde_json::to_string(reasons)) + json(serde_json::to_string(scores)) + ruleset.len()
    }

    /// Its size, in bytes of text.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let author = self.post.author.as_ref().map_or(0, String::len);
        self.post.title.len() + self.post.content.len() + author
    }
}

/// Why a row is in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is new.
    Inserted,
    /// A row with its id was there and says the same: an earlier delivery or submission of the same post.
    AlreadyRecorded,
}

/// What became of one row, or would become of it: it is in the table, or this is why not.
pub type RowOutcome = Result<Recorded, Failure>;

/// A post as it stands in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredPost {
    /// Its id.
    pub id: String,
    /// The title.
    pub title: String,
    /// The text.
    pub content: String,
    /// Who wrote it.
    pub author: Option<String>,
    /// The verdict.
    pub verdict: String,
    /// Its reasons, JSON.
    pub reasons: String,
    /// The rules that were in force.
    pub ruleset: String,
    /// When the producer accepted it, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub submitted_at: OffsetDateTime,
    /// When it was stored, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub recorded_at: OffsetDateTime,
    /// The worker process that stored it.
    pub worker: String,
    /// At which attempt.
    pub attempts: u32,
    /// The sums of its categories, JSON; `None` in rows of versions that did not store them.
    pub scores: Option<String>,
    /// The sender it came from; `None` if it is not known.
    pub sender: Option<String>,
}
