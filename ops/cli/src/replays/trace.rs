//! What a replay records about a dead letter before it publishes it, so that its outcome can be computed later without
//! comparing clocks: whether its post was already stored, or another post under its id; after which replay it had
//! failed; and under which id its post is stored if that is not the dead letter's id.

use sluice_core::post::PostId;
use sluice_mysql::Content;
use sluice_rabbit::dead_letters::DeadLetter;

const ALREADY_RECORDED: &str = "already recorded";
const ID_TAKEN: &str = "another post has its id";
const POST: &str = "as post ";
const AFTER: &str = "after replay ";

/// The note, stored in the audit log as the dead letter's detail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trace {
    /// Its row was there before the replay.
    pub(crate) already_recorded: bool,
    /// A row with its id was there before the replay, or will be by a dead letter before it, and is not its own: that
    /// there is one tells nothing of this dead letter.
    pub(crate) id_taken: bool,
    /// The post's id, where it is not the dead letter's.
    pub(crate) post: Option<PostId>,
    /// The replay that had published it before it failed this time.
    pub(crate) after: Option<String>,
}

impl Trace {
    /// What is known of a dead letter in flight, which holds this post.
    pub(crate) fn of(dead_letter: &DeadLetter, post: &Option<(PostId, Content)>) -> Self {
        let post = post.as_ref().map(|(id, _)| *id).filter(|id| dead_letter.summary.id.parse().ok() != Some(*id));
        Self { post, after: dead_letter.replayed_by(), ..Self::default() }
    }

    /// The post whose row tells that the dead letter with this id is stored. None for a dead letter that is no post.
    pub(crate) fn post(&self, dead_letter: &str) -> Option<PostId> {
        self.post.or_else(|| dead_letter.parse().ok())
    }

    /// Parses a detail of the audit log. Unknown parts are ignored.
    pub(crate) fn read(detail: &str) -> Self {
        let mut trace = Self::default();
        for part in detail.split("; ") {
            if part == ALREADY_RECORDED {
                trace.already_recorded = true;
            } else if part == ID_TAKEN {
                trace.id_taken = true;
            } else if let Some(id) = part.strip_prefix(POST) {
                trace.post = id.parse().ok();
            } else if let Some(id) = part.strip_prefix(AFTER) {
                trace.after = Some(id.to_owned());
            }
        }
        trace
    }
}

impl std::fmt::Display for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let already = self.already_recorded.then(|| ALREADY_RECORDED.to_owned());
        let taken = self.id_taken.then(|| ID_TAKEN.to_owned());
        let post = self.post.map(|id| format!("{POST}{id}"));
        // Any publisher can set the header, so only a valid id is kept.
        let after = self.after.as_ref().filter(|id| id.parse::<PostId>().is_ok()).map(|id| format!("{AFTER}{id}"));
        let parts: Vec<String> = [already, taken, post, after].into_iter().flatten().collect();
        f.write_str(&parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_noted_is_read_back(
            already_recorded: bool, id_taken: bool, post: Option<u128>, after: Option<u128>,
        ) {
            let id = |bits| PostId::from(uuid::Uuid::from_u128(bits));
            let after = after.map(|bits| id(bits).to_string());
            let trace = Trace { already_recorded, id_taken, post: post.map(id), after };
            prop_assert_eq!(Trace::read(&trace.to_string()), trace);
        }

        #[test]
        fn nothing_in_a_detail_makes_the_reader_fail(detail in ".*") {
            let _ = Trace::read(&detail);
        }
    }

    #[test]
    fn a_dead_letter_with_nothing_to_note_has_an_empty_detail() {
        assert_eq!(Trace::default().to_string(), "");
    }
}
