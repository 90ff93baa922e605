//! The class of a dead letter.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a post was dead-lettered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Its own failure, which no retry helps.
    Permanent,
    /// It alone failed, until its attempts were spent.
    Exhausted,
    /// It was redelivered too often: the workers that took it died.
    CrashLoop,
    /// The broker dead-lettered it: it was redelivered more often than the queue's delivery limit allows.
    DeliveryLimit,
    /// The broker dead-lettered it: its time to live ran out.
    Expired,
    /// The broker dead-lettered it: a consumer rejected it.
    Rejected,
    /// The broker dead-lettered it: the queue was over its length.
    Overflow,
    /// No reason is given, or one that only a newer version knows.
    #[serde(other)]
    Unknown,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Permanent,
        Self::Exhausted,
        Self::CrashLoop,
        Self::DeliveryLimit,
        Self::Expired,
        Self::Rejected,
        Self::Overflow,
        Self::Unknown,
    ];

    /// Its name in JSON and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Exhausted => "exhausted",
            Self::CrashLoop => "crash_loop",
            Self::DeliveryLimit => "delivery_limit",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Overflow => "overflow",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
