//! The summary of a dead letter from its body and headers, in one form whether a worker or the broker dead-lettered it.

mod x_death;

use deadpool_lapin::lapin;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;
use time::{OffsetDateTime, UtcOffset};

use self::x_death::from_broker;
use super::said::{FIELD_MAX_BYTES, Said, bounded};
use crate::headers::{is_a_count_of_the_brokers, sender, text, without};
use sluice_core::dead_letter::{
    DeadLetterRecord, Death, FAILURE_HEADER, NAME_HEADER, NAMELESS, Origin, RECORD_MAX_BYTES, fingerprint,
};
use sluice_core::disposition::Class;
use sluice_core::failure::{Failure, Kind};
use sluice_core::json;
use sluice_core::name::SenderName;
use sluice_core::named::Named;
use sluice_core::post::PostId;

const NAME_MAX_BYTES: usize = 255;
/// The longest fingerprint that is kept: ours have twelve digits. A longer one is computed anew.
const FINGERPRINT_MAX_BYTES: usize = 64;

/// The summary of a dead letter. Its texts are bounded, whatever a stranger wrote: message and title to 8 KiB, the
/// others to 255 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetterSummary {
    /// The message id; where there is none, one made from the content, the same at each browse.
    pub id: String,
    /// Why it was dead-lettered.
    pub class: Class,
    /// The failure's code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// A hash that is the same for failures that differ only in values, but not in names of columns, keys and the like.
    pub fingerprint: String,
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
    /// How often it had been replayed before.
    pub replays: u32,
    /// The post's title, where the body has one.
    pub title: Option<String>,
    /// Who wrote it, where the body says so.
    pub author: Option<String>,
    /// Which sender it came from, where a header says so.
    pub sender: Option<SenderName>,
    /// The id of the post that it holds, if it holds one: the one in the body, else the message id, where that is a
    /// UUID.
    pub post: Option<PostId>,
    /// When the post was submitted, UTC, where the body or the message says so.
    #[serde(with = "time::serde::rfc3339::option")]
    pub submitted_at: Option<OffsetDateTime>,
}

impl DeadLetterSummary {
    /// Whether this name means this dead letter.
    #[must_use]
    pub fn is(&self, named: &Named) -> bool {
        named.means(&self.id, self.post)
    }

    /// Whether neither a worker nor the broker dead-lettered it, as far as its headers say.
    #[must_use]
    pub fn is_a_strangers(&self) -> bool {
        self.class == Class::Unknown
    }

    /// What the audit log keeps of it.
    #[must_use]
    pub fn death(&self) -> Death {
        let Self { class, code, message, attempts, first_failed_at, last_failed_at, worker, submitted_at, .. } =
            self.clone();
        Death { class, code, message, attempts, first_failed_at, last_failed_at, worker, submitted_at }.bounded()
    }
}

/// Before this there was no Sluice: an earlier time in a header is ignored.
const FIRST_TIME: OffsetDateTime = datetime!(2020-01-01 00:00:00 UTC);

fn believable(at: OffsetDateTime) -> Option<OffsetDateTime> {
    at.checked_to_offset(UtcOffset::UTC).filter(|at| *at >= FIRST_TIME)
}

pub(super) fn summarise(properties: &BasicProperties, body: &[u8]) -> (DeadLetterSummary, Option<Origin>) {
    let table = properties.headers().as_ref();
    let (mut summary, origin) = match own_record(table) {
        Some(record) => from_record(record),
        None => from_broker(table),
    };
    summary.id = identity(properties, body);
    let said = Said::by(json::without_mark(body));
    let message_id = properties.message_id().as_ref().map(|id| id.as_str());
    // A body with neither an id nor a title is not a post, whatever the message id is.
    let named = message_id.filter(|_| said.title.is_some());
    summary.post = said.id.as_deref().or(named).and_then(|id| id.parse().ok());
    let at = said.submitted_at.and_then(|at| OffsetDateTime::parse(&at, &Rfc3339).ok());
    let utc = at.or_else(|| sent_at(properties)).and_then(|at| at.checked_to_offset(UtcOffset::UTC));
    summary.submitted_at = utc.filter(|at| at.year() >= 0);
    (summary.title, summary.author, summary.sender) = (said.title, said.author, table.and_then(sender));
    (summary, origin)
}

pub(super) fn sent_at(properties: &BasicProperties) -> Option<OffsetDateTime> {
    let seconds = i64::try_from((*properties.timestamp())?).ok()?;
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

/// The message id, or a name made from the body and the headers that no browse changes.
fn identity(properties: &BasicProperties, body: &[u8]) -> String {
    if let Some(id) = properties.message_id().as_ref().filter(|id| !id.as_str().is_empty()) {
        return id.to_string();
    }
    let kept = properties.headers().as_ref().and_then(|table| table.inner().get(NAME_HEADER)).and_then(text);
    if let Some(kept) = kept.filter(|name| name.starts_with(NAMELESS) && name.len() <= NAME_MAX_BYTES) {
        return kept;
    }
    let mut hash = Sha256::new();
    hash.update(body);
    // The first browse adds the broker's counts, even where there were no headers.
    let table = properties.headers().as_ref();
    let table = table.map(|table| without(table, is_a_count_of_the_brokers)).unwrap_or_default();
    if !table.inner().is_empty() {
        hash.update(format!("{table:?}"));
    }
    let digest: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{NAMELESS}{digest}")
}

fn own_record(table: Option<&FieldTable>) -> Option<DeadLetterRecord> {
    let record = table?.inner().get(FAILURE_HEADER)?;
    match record {
        // Workers write no longer one.
        AMQPValue::LongString(json) if json.as_bytes().len() <= RECORD_MAX_BYTES => {
            DeadLetterRecord::from_header(json.as_bytes()).ok()
        }
        _ => None,
    }
}

fn from_record(mut record: DeadLetterRecord) -> (DeadLetterSummary, Option<Origin>) {
    if record.fingerprint.len() > FINGERPRINT_MAX_BYTES {
        let failure = Failure::new(Kind::Permanent, record.code.as_str(), record.message.as_str());
        record.fingerprint = fingerprint(record.class, &failure);
    }
    let summary = DeadLetterSummary {
        id: String::new(),
        class: record.class,
        code: bounded(&record.code, NAME_MAX_BYTES),
        message: bounded(&record.message, FIELD_MAX_BYTES),
        fingerprint: record.fingerprint,
        attempts: record.attempts,
        first_failed_at: believable(record.first_failed_at),
        last_failed_at: believable(record.last_failed_at),
        worker: bounded(&record.worker, NAME_MAX_BYTES),
        replays: record.replays,
        title: None,
        author: None,
        sender: None,
        post: None,
        submitted_at: None,
    };
    (summary, Some(record.origin))
}
