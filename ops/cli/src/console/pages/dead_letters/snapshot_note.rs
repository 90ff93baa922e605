//! How old what is shown is.

use time::OffsetDateTime;

use super::super::watch::Snapshot;
use crate::times::{shown, span};

/// The age of a snapshot, and why there is no newer one.
pub(super) struct SnapshotNote {
    /// `as of 2026-…, 12s ago`; none: nothing was seen yet.
    pub(super) age: Option<String>,
    /// Why not, and since when.
    pub(super) problem: Option<String>,
}

impl SnapshotNote {
    /// Of this snapshot, where there is one.
    pub(super) fn new(snapshot: Option<&Snapshot>) -> Self {
        let now = OffsetDateTime::now_utc();
        let set = snapshot.and_then(|snapshot| snapshot.set.as_ref());
        let problem = snapshot.and_then(|snapshot| snapshot.problem.as_ref());
        Self {
            age: set.map(|set| format!("as of {}, {} ago", shown(Some(set.at)), span(now - set.at))),
            problem: problem
                .map(|(since, why)| format!("since {}, for {}: {why}", shown(Some(*since)), span(now - *since))),
        }
    }
}
