//! A dead letter in full: its facts, their source, its headers, operations and body, in the order and with the words in
//! which people see it, on a terminal and on a page.

use serde_json::Value;
use sluice_core::dead_letter::{FAILURE_HEADER, Origin, USER_HEADER};
use sluice_core::name::SENDER_HEADER;
use sluice_mysql::AuditEntry;
use time::OffsetDateTime;

use super::Shown;
use crate::operation;
use crate::times::{shown, span};
use crate::visible::{block, line};

/// What is known of a dead letter, in the order and with the words in which it is shown. No value has a hidden character.
pub(crate) struct Whole {
    /// Names and values.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// Where they are from.
    pub(crate) source: String,
    /// Headings, each with its lines.
    pub(crate) sections: Vec<(&'static str, Vec<String>)>,
    /// The body; JSON over several lines.
    pub(crate) body: String,
}

impl Whole {
    /// Of this dead letter.
    pub(crate) fn new(dead_letter: &Shown<'_>, now: OffsetDateTime) -> Self {
        let summary = dead_letter.summary;
        let mut facts = vec![("id", line(&summary.id))];
        let post = summary.post.map(|post| post.to_string()).filter(|post| *post != summary.id);
        facts.extend(post.map(|post| ("post", post)));
        facts.extend([
            ("class", summary.class.as_str().to_owned()),
            ("code", line(&summary.code)),
            ("what happened", line(&summary.message)),
            ("fingerprint", line(&summary.fingerprint)),
            ("attempts", summary.attempts.to_string()),
            ("first failed", when(summary.first_failed_at, now)),
            ("last failed", when(summary.last_failed_at, now)),
            ("worker", line(&summary.worker)),
            ("came from", came_from(dead_letter.origin)),
            ("replays", summary.replays.to_string()),
        ]);
        facts.extend(summary.sender.as_ref().map(|sender| ("sender", format!("{sender}{CLAIMED}"))));
        facts.extend(dead_letter.user.map(|user| ("published by", format!("{} (verified by RabbitMQ)", line(user)))));
        let sections = [
            (DEATHS, deaths(&dead_letter.headers)),
            ("headers", other_headers(&dead_letter.headers, summary.sender.is_some())),
            ("operations", history(dead_letter.operations.unwrap_or_default())),
        ];
        Self {
            facts,
            source: source(dead_letter),
            sections: sections.into_iter().filter(|(_, lines)| !lines.is_empty()).collect(),
            body: body(dead_letter),
        }
    }
}

/// The heading of the header x-death.
const DEATHS: &str = "header x-death (written by the broker, but any publisher can set it)";

/// Which header has these values, and how far it can be trusted.
fn source(dead_letter: &Shown<'_>) -> String {
    let header = match &dead_letter.headers {
        headers if headers.get(FAILURE_HEADER).is_some() => FAILURE_HEADER,
        headers if headers.get("x-death").is_some() => "x-death",
        _ => return "(no header gives the reason)".to_owned(),
    };
    format!("(from the header {header}, which any publisher can set)")
}

fn history(operations: &[AuditEntry]) -> Vec<String> {
    let lines = operations.iter().map(|operation| {
        let (what, detail) = operation::told(operation);
        format!("{}  {what}: {}", shown(Some(operation.at)), line(&detail))
    });
    lines.collect()
}

fn when(at: Option<OffsetDateTime>, now: OffsetDateTime) -> String {
    match at {
        Some(at) if at > now => format!("{} (in the future)", shown(Some(at))),
        Some(at) => format!("{} ({} ago)", shown(Some(at)), span(now - at)),
        None => "unknown".to_owned(),
    }
}

fn came_from(origin: Option<&Origin>) -> String {
    match origin {
        Some(Origin { exchange, routing_key, queue }) => {
            line(&format!("queue {queue}, published to exchange {exchange:?} with routing key {routing_key:?}"))
        }
        None => "unknown".to_owned(),
    }
}

/// The header x-death: each queue that dead-lettered the message, the latest first.
fn deaths(headers: &Value) -> Vec<String> {
    let entries = headers.get("x-death").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let told = |death: &Value| {
        let entry = |name: &str| death.get(name).and_then(Value::as_str).unwrap_or("?");
        let count = death.get("count").and_then(Value::as_u64).unwrap_or(1);
        let at = death.get("time").and_then(Value::as_i64).and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
        line(&format!("{} in queue {}, {count} ×, first at {}", entry("reason"), entry("queue"), shown(at)))
    };
    entries.iter().map(told).collect()
}

/// The note on a header with the name of the property.
const CLAIM: &str = " (not verified: RabbitMQ checks only the property user_id)";

/// The note on a sender: only who may publish to RabbitMQ decides whether it can be believed.
const CLAIMED: &str = " (from the header sluice-sender, which any publisher can set)";

/// The headers that are not shown above. A sender that is no name is shown here.
fn other_headers(headers: &Value, has_sender: bool) -> Vec<String> {
    let is_shown = |name: &str| name == "x-death" || name == FAILURE_HEADER || (name == SENDER_HEADER && has_sender);
    let others = headers.as_object().into_iter().flatten().filter(|(name, _)| !is_shown(name));
    let told = |(name, value): (&String, &Value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let claim = if name == USER_HEADER { CLAIM } else { "" };
        format!("{}: {}{claim}", line(name), line(&value))
    };
    others.map(told).collect()
}

fn body(dead_letter: &Shown<'_>) -> String {
    if dead_letter.body.is_empty() {
        return "(empty)".to_owned();
    }
    let json = serde_json::from_str::<Value>(&dead_letter.body).and_then(|json| serde_json::to_string_pretty(&json));
    let text = json.unwrap_or_else(|_| dead_letter.body.clone());
    let note = if dead_letter.body_is_utf8 { "" } else { "\n(not UTF-8; --body prints the bytes)" };
    format!("{}{note}", block(&text))
}
