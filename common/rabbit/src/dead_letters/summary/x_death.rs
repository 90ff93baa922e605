//! The summary of a message that the broker dead-lettered by itself, from its header x-death.

use deadpool_lapin::lapin;
use lapin::types::{AMQPValue, FieldTable};
use time::OffsetDateTime;

use super::{DeadLetterSummary, NAME_MAX_BYTES, believable};
use crate::dead_letters::said::bounded;
use crate::headers::{number, text};
use sluice_core::dead_letter::{Origin, REPLAYS_HEADER, fingerprint};
use sluice_core::disposition::Class;
use sluice_core::failure::{Failure, Kind};

pub(super) fn from_broker(table: Option<&FieldTable>) -> (DeadLetterSummary, Option<Origin>) {
    let death = table.and_then(|table| match table.inner().get("x-death")? {
        AMQPValue::FieldArray(deaths) => deaths.as_slice().first().cloned(),
        _ => None,
    });
    let entry = |name: &str| match &death {
        Some(AMQPValue::FieldTable(table)) => table.inner().get(name).cloned(),
        _ => None,
    };
    let reason = entry("reason").as_ref().and_then(name);
    let (class, message_text) = explain(reason.as_deref());
    let code = reason.map_or_else(|| "unknown".to_owned(), |reason| format!("broker_{reason}"));
    let at = entry("time").and_then(|time| match time {
        AMQPValue::Timestamp(seconds) => {
            OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok().and_then(believable)
        }
        _ => None,
    });
    let origin = entry("queue").as_ref().and_then(name).map(|queue| Origin {
        exchange: entry("exchange").as_ref().and_then(name).unwrap_or_default(),
        routing_key: entry("routing-keys").as_ref().and_then(first_text).unwrap_or_default(),
        queue,
    });
    let header_number = |name: &str| table.and_then(|table| table.inner().get(name)).and_then(number);
    let failure = Failure::new(Kind::Permanent, code, message_text);
    let summary = DeadLetterSummary {
        id: String::new(),
        class,
        fingerprint: fingerprint(class, &failure),
        code: failure.code,
        message: failure.message,
        attempts: entry("count").as_ref().and_then(number).and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        first_failed_at: at,
        last_failed_at: at,
        worker: if death.is_some() { "RabbitMQ".to_owned() } else { "unknown".to_owned() },
        replays: header_number(REPLAYS_HEADER).and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        title: None,
        author: None,
        sender: None,
        post: None,
        submitted_at: None,
    };
    (summary, origin)
}

fn explain(reason: Option<&str>) -> (Class, String) {
    let (class, text) = match reason {
        Some("delivery_limit") => {
            (Class::DeliveryLimit, "redelivered more often than the queue's delivery limit allows")
        }
        Some("expired") => (Class::Expired, "its TTL expired before a worker received it"),
        Some("rejected") => (Class::Rejected, "a consumer rejected it without a reason"),
        Some("maxlen") => (Class::Overflow, "the queue exceeded its maximum length"),
        Some(other) => return (Class::Unknown, format!("the broker gives the reason `{other}`")),
        None => (Class::Unknown, "neither a worker nor the broker gave a reason: another program published it here"),
    };
    (class, text.to_owned())
}

/// A name in x-death. The broker's are short; those that a stranger wrote may not be.
fn name(value: &AMQPValue) -> Option<String> {
    text(value).map(|text| bounded(&text, NAME_MAX_BYTES))
}

fn first_text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::FieldArray(values) => values.as_slice().first().and_then(name),
        _ => None,
    }
}
