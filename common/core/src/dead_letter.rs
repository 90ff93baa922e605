//! Why a post failed: the record in a dead letter's `sluice-failure` header.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::disposition::Class;
use crate::failure::Failure;
pub use crate::kind::normalise;

/// The header that holds the record, as JSON.
pub const FAILURE_HEADER: &str = "sluice-failure";
/// The header that keeps the first record of a dead letter which was moved back to work by other means than a replay
/// and died again. It has the form of [`FAILURE_HEADER`], and travels with the message from then on.
pub const EARLIER_FAILURE_HEADER: &str = "sluice-earlier-failure";
/// The header that counts how often a dead letter was replayed. It travels with the message from then on.
pub const REPLAYS_HEADER: &str = "sluice-replays";
/// The header of a dead letter whose body an operator has edited: the id of the operation that did it. It travels with
/// the message from then on.
pub const EDITED_HEADER: &str = "sluice-edited";
/// The header with the id, in the audit log, of the replay that last published a dead letter. If the post fails again,
/// its dead letter still has this header, which shows the outcome of that replay.
pub const REPLAY_HEADER: &str = "sluice-replay";
/// The header that keeps the name of a dead letter whose message has no id. That name is made from what the dead letter
/// holds, so it would be another one when the post dies again.
pub const NAME_HEADER: &str = "sluice-dead-letter";
/// How such names begin.
pub const NAMELESS: &str = "anonymous-";
/// The header with the user that first published a message, copied from the property `user_id`, which the broker had
/// verified but which cannot be passed on. The broker does not verify headers, so it is a claim.
pub const USER_HEADER: &str = "sluice-user-id";
/// The longest record, in bytes of JSON. A header must fit into one frame with all the others; a longer text in the
/// record is cut, the longest first.
pub const RECORD_MAX_BYTES: usize = 8 * 1024;
/// The form of the record that this version writes.
pub const SCHEMA: u32 = 1;

/// Where a dead letter came from, so that a replay can put it back there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The exchange it was published to.
    pub exchange: String,
    /// With this routing key.
    pub routing_key: String,
    /// The queue it was taken from.
    pub queue: String,
}

/// What a worker knows about a post's failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetterRecord {
    /// The form of this record, [`SCHEMA`].
    pub schema: u32,
    /// Why it was dead-lettered.
    pub class: Class,
    /// The failure's short name.
    pub code: String,
    /// What happened, for people.
    pub message: String,
    /// The same for failures that differ only in values, and not in the names of columns, keys and the like.
    pub fingerprint: String,
    /// How many attempts were made, 0 where none was.
    pub attempts: u32,
    /// When the first attempt failed, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub first_failed_at: OffsetDateTime,
    /// When the last attempt failed, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub last_failed_at: OffsetDateTime,
    /// The worker process that dead-lettered it.
    pub worker: String,
    /// Its version.
    pub version: String,
    /// Where it came from.
    pub origin: Origin,
    /// How often it had been replayed before it died this time.
    pub replays: u32,
}

/// What the audit log records about a dead letter's failure, so that it can be shown when the dead letter is gone. It
/// comes from the dead letter itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Death {
    /// Why it was dead-lettered.
    pub class: Class,
    /// The failure's short name.
    pub code: String,
    /// What happened, for people.
    pub message: String,
    /// How many attempts were made.
    pub attempts: u32,
    /// When the first attempt failed, UTC.
    #[serde(with = "time::serde::rfc3339::option")]
    pub first_failed_at: Option<OffsetDateTime>,
    /// When the last attempt failed, UTC.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_failed_at: Option<OffsetDateTime>,
    /// Who dead-lettered it.
    pub worker: String,
    /// When the post was submitted, UTC.
    #[serde(with = "time::serde::rfc3339::option")]
    pub submitted_at: Option<OffsetDateTime>,
}

impl Death {
    /// The longest text of it, in bytes.
    pub const TEXT_MAX_BYTES: usize = 1000;

    /// The same with no text longer than [`Self::TEXT_MAX_BYTES`], because any publisher can set headers.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        for text in [&mut self.code, &mut self.message, &mut self.worker] {
            if text.len() > Self::TEXT_MAX_BYTES {
                *text = cut(text, Self::TEXT_MAX_BYTES - '…'.len_utf8());
            }
        }
        self
    }
}

impl DeadLetterRecord {
    /// The record as the header's JSON, at most [`RECORD_MAX_BYTES`] long.
    #[must_use]
    pub fn to_header(&self) -> String {
        let mut record = self.clone();
        loop {
            // Strings, numbers and UTC times always have a JSON form.
            let json = serde_json::to_string(&record).unwrap_or_default();
            let Some(excess) = json.len().checked_sub(RECORD_MAX_BYTES).filter(|excess| *excess > 0) else {
                return json;
            };
            // Escaping can only make text longer, so cutting the excess (and room for the mark) always converges.
            let longest = record.longest();
            let keep = longest.len().saturating_sub(excess + '…'.len_utf8());
            *longest = cut(longest, keep);
        }
    }

    /// The longest of its texts. That is the message, unless somebody has given very long names to things.
    fn longest(&mut self) -> &mut String {
        let Origin { exchange, routing_key, queue } = &mut self.origin;
        let mut longest = &mut self.message;
        for text in
            [&mut self.code, &mut self.fingerprint, &mut self.worker, &mut self.version, exchange, routing_key, queue]
        {
            if text.len() > longest.len() {
                longest = text;
            }
        }
        longest
    }

    /// Reads the header of a dead letter.
    ///
    /// # Errors
    /// The JSON reader's, when the header is not such a record.
    pub fn from_header(header: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(header)
    }
}

/// The first `keep` bytes at most, on a character boundary, marked as cut.
#[must_use]
pub fn cut(text: &str, keep: usize) -> String {
    let end = (0..=keep).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &text[..end])
}

/// Folds what differs between two cases of the same failure, and hashes the rest: twelve hexadecimal digits.
#[must_use]
pub fn fingerprint(class: Class, failure: &Failure) -> String {
    let mut hash = Sha256::new();
    for part in [class.as_str(), &failure.code, &normalise(&failure.message)] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Kind;
    use proptest::prelude::*;

    fn record(message: String) -> DeadLetterRecord {
        DeadLetterRecord {
            schema: SCHEMA,
            class: Class::Permanent,
            code: "mysql_1406".to_owned(),
            message,
            fingerprint: "0123456789ab".to_owned(),
            attempts: 1,
            first_failed_at: OffsetDateTime::UNIX_EPOCH,
            last_failed_at: OffsetDateTime::UNIX_EPOCH,
            worker: "w".to_owned(),
            version: "0".to_owned(),
            origin: Origin { exchange: "e".to_owned(), routing_key: "post".to_owned(), queue: "q".to_owned() },
            replays: 0,
        }
    }

    proptest! {
        #[test]
        fn a_record_never_outgrows_its_header(message in "(?s).{0,3000}", repeat in 1usize..20) {
            let header = record(message.repeat(repeat)).to_header();
            prop_assert!(header.len() <= RECORD_MAX_BYTES);
            prop_assert!(DeadLetterRecord::from_header(header.as_bytes()).is_ok());
        }

        #[test]
        fn a_record_that_fits_is_read_back_whole(message in "(?s).{0,300}") {
            let record = record(message);
            prop_assert_eq!(DeadLetterRecord::from_header(record.to_header().as_bytes()).ok(), Some(record));
        }
    }

    #[test]
    fn a_record_whose_other_texts_are_too_long_is_cut_as_well() {
        let long = || "\u{1}".repeat(9000);
        let origin = Origin { exchange: long(), routing_key: long(), queue: long() };
        let record = DeadLetterRecord { worker: long(), code: long(), origin, ..record("m".to_owned()) };
        let header = record.to_header();
        assert!(header.len() <= RECORD_MAX_BYTES);
        assert!(DeadLetterRecord::from_header(header.as_bytes()).is_ok());
    }

    #[test]
    fn the_same_failure_of_two_posts_has_one_fingerprint() {
        let print =
            |message: &str| fingerprint(Class::Permanent, &Failure::new(Kind::Permanent, "mysql_1406", message));
        assert_eq!(
            print("Data too long for column 'title' at row 1"),
            print("Data too long for column 'title' at row 17")
        );
        assert_ne!(
            print("Data too long for column 'title' at row 1"),
            print("Data too long for column 'author' at row 1")
        );
        assert_eq!(
            print("post 0193a5b2-7c55-7000-8000-00000000e1b4 refused"),
            print("post 0193a5b2-7c55-7000-8000-0000000012ab refused"),
        );
        assert_ne!(print("Data too long"), print("Duplicate entry"));
    }
}
