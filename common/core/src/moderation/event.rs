//! What the forum is told of a post: the body of the webhook, and the item of the feed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::case::spelled;
use crate::post::PostId;
use crate::verdict::Verdict;

spelled! {
    /// Why a decision was made.
    Cause {
        /// A moderator decided the case.
        Moderator = "moderator",
        /// A lead did.
        Lead = "lead",
        /// It was one of many with the same text.
        Bulk = "bulk",
        /// An earlier decision was undone.
        Undo = "undo",
        /// An appeal was decided.
        Appeal = "appeal",
        /// A lead decided where a second opinion differed from the first decision.
        Second = "second",
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventType {
    /// The review held a post, and a case was opened.
    #[serde(rename = "post.held")]
    PostHeld,
    /// A person decided, or undid a decision.
    #[serde(rename = "post.decided")]
    PostDecided,
    /// A person decided an appeal.
    #[serde(rename = "appeal.decided")]
    AppealDecided,
}

impl EventType {
    /// Its name in JSON, and its routing key in RabbitMQ.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PostHeld => "post.held",
            Self::PostDecided => "post.decided",
            Self::AppealDecided => "appeal.decided",
        }
    }
}

/// One event. It never holds the post's text, and no person's name: `by` is a role.
///
/// Events of one post come in the order of their revisions, each at least once. A receiver applies an event only if its
/// revision is higher than the one it has for the post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// The decision's id; of `post.held`, the case's.
    pub id: Uuid,
    /// Its place in the feed. None until it was given one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seq: Option<u64>,
    /// The post.
    pub post: PostId,
    /// 0 for `post.held`, then one more with each decision on the post.
    pub revision: u32,
    /// What stands now.
    pub verdict: Verdict,
    /// What stood before.
    pub previous: Verdict,
    /// Why; none for `post.held`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cause: Option<Cause>,
    /// The ids of the policies that the moderator named.
    pub policies: Vec<String>,
    /// A text for the author.
    pub message: Option<String>,
    /// Until when the author may appeal; none where there is nothing to appeal against.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none", default)]
    pub appealable_until: Option<OffsetDateTime>,
    /// When, UTC, by the database's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub decided_at: OffsetDateTime,
    /// `moderator`, `lead` or `system`.
    pub by: String,
}

impl Event {
    /// The bytes that are signed and sent. The same each time.
    #[must_use]
    pub fn to_body(&self) -> String {
        // Texts, numbers and lists always have a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }
}
