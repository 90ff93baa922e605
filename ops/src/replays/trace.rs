//! What a replay notes of a letter before it puts it back to work, so that its fate can be told later without comparing
//! clocks: whether its post was stored already, which replay it had died after, and under which id its post is stored
//! where that is not the letter's own.

use common::delivery::Letter;
use common::post::PostId;
use time::OffsetDateTime;

const ALREADY_RECORDED: &str = "already recorded";
const POST: &str = "as post ";
const AFTER: &str = "after replay ";

/// The note. Its text stands in the record as the letter's detail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trace {
    /// A row with its id was there before the replay.
    pub(crate) already_recorded: bool,
    /// The post's id, where it is not the letter's.
    pub(crate) post: Option<PostId>,
    /// The replay that had put it back to work before it died this time.
    pub(crate) after: Option<String>,
}

impl Trace {
    /// What is known of a letter in hand.
    pub(crate) fn of(letter: &Letter) -> Self {
        let post = letter.post(OffsetDateTime::now_utc()).ok().map(|post| post.id);
        let post = post.filter(|id| letter.summary.id.parse().ok() != Some(*id));
        Self { already_recorded: false, post, after: letter.replayed_by() }
    }

    /// The post whose row tells that the letter with this id is stored. None for a letter that is no post.
    pub(crate) fn post(&self, letter: &str) -> Option<PostId> {
        self.post.or_else(|| letter.parse().ok())
    }

    /// Reads a detail of the record. What it does not understand it passes over.
    pub(crate) fn read(detail: &str) -> Self {
        let mut trace = Self::default();
        for part in detail.split("; ") {
            if part == ALREADY_RECORDED {
                trace.already_recorded = true;
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
        let post = self.post.map(|id| format!("{POST}{id}"));
        // A stranger may have written the header: only what reads back as one part is kept.
        let after = self.after.as_ref().filter(|id| id.parse::<PostId>().is_ok()).map(|id| format!("{AFTER}{id}"));
        let parts: Vec<String> = [already, post, after].into_iter().flatten().collect();
        f.write_str(&parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_noted_is_read_back(already_recorded: bool, post: Option<u128>, after: Option<u128>) {
            let id = |bits| PostId::from(uuid::Uuid::from_u128(bits));
            let trace = Trace { already_recorded, post: post.map(id), after: after.map(|bits| id(bits).to_string()) };
            prop_assert_eq!(Trace::read(&trace.to_string()), trace);
        }

        #[test]
        fn nothing_in_a_detail_makes_the_reader_fail(detail in ".*") {
            let _ = Trace::read(&detail);
        }
    }

    #[test]
    fn a_letter_with_nothing_to_note_has_an_empty_detail() {
        assert_eq!(Trace::default().to_string(), "");
    }
}
