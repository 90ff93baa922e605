//! A dead letter written out in full as JSON, so that it can be put back as it was: body, properties, and headers with
//! their AMQP types.
//!
//! The headers' values have the form that `value.rs` gives them. A body that is not UTF-8 is written in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use deadpool_lapin::lapin;
use lapin::BasicProperties;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::io::{self, Write};

use super::properties::Properties;
use super::summary::{DeadLetterSummary, summarise};
use super::value::{Unreadable, read_table, written_table};
use crate::headers::{is_a_count_of_the_brokers, without};
use crate::publisher::Envelope;
use crate::topology::Topology;
use sluice_core::dead_letter::{EDITED_HEADER, USER_HEADER};

/// A SHA-256 over what stays the same when a dead letter is put back: equal for indistinguishable dead letters.
pub type Digest = [u8; 32];

/// A dead letter, written out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transcript {
    /// The exchange it was published to last; for people to read, and not used when it is put back.
    #[serde(default)]
    pub exchange: String,
    /// Its properties, without the headers.
    #[serde(default)]
    pub properties: Properties,
    /// Its headers, without the broker's counts of deliveries.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub headers: Map<String, Value>,
    /// Its body, where that is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Its body in base64, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
}

impl Transcript {
    pub(super) fn of(message: &lapin::message::Delivery) -> Self {
        let from = &message.properties;
        let headers = from.headers().as_ref().map(|table| without(table, is_a_count_of_the_brokers));
        let (body, body_base64) = written_body(message.data.clone());
        let headers = headers.as_ref().map(written_table).unwrap_or_default();
        let properties = Properties::of(from);
        Self { exchange: message.exchange.to_string(), properties, headers, body, body_base64 }
    }

    /// The message that puts it back among the dead letters.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn dead_letter(&self, topology: &Topology) -> Result<Envelope, Unreadable> {
        let (properties, body) = self.message()?;
        Ok(Envelope::new(topology.dead_letter_exchange(), properties, body))
    }

    /// Its [`Digest`]: without the exchange, which may be another one once it is put back, and without what
    /// [`Envelope`] never passes on.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let Self { exchange: _, properties, headers, body, body_base64 } = self;
        let properties = Properties { delivery_mode: None, expiration: None, user_id: None, ..properties.clone() };
        let mut headers = headers.clone();
        headers.remove(USER_HEADER);
        let mut hash = Hash(Sha256::new());
        // Strings, numbers and maps in a fixed order always have a JSON form, and equal ones the same.
        let _ = serde_json::to_writer(&mut hash, &(properties, headers, body, body_base64));
        hash.0.finalize().into()
    }

    /// The summary that [`super::DeadLetter`] would give.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn summary(&self) -> Result<DeadLetterSummary, Unreadable> {
        let (properties, body) = self.message()?;
        Ok(summarise(&properties, &body).0)
    }

    /// The body, as it was published.
    ///
    /// # Errors
    /// [`Unreadable::Body`].
    pub fn bytes(&self) -> Result<Vec<u8>, Unreadable> {
        match (&self.body, &self.body_base64) {
            (Some(text), None) => Ok(text.clone().into_bytes()),
            (None, Some(base64)) => BASE64.decode(base64).map_err(|_| Unreadable::Body),
            _ => Err(Unreadable::Body),
        }
    }

    /// The operation that edited it last.
    #[must_use]
    pub fn edited_by(&self) -> Option<&str> {
        self.headers.get(EDITED_HEADER)?.as_str()
    }

    /// The same dead letter with another body, marked with the operation that edited it.
    #[must_use]
    pub fn edited(mut self, bytes: Vec<u8>, operation: &str) -> Self {
        self.headers.insert(EDITED_HEADER.to_owned(), operation.into());
        let (body, body_base64) = written_body(bytes);
        Self { body, body_base64, ..self }
    }

    fn message(&self) -> Result<(BasicProperties, Vec<u8>), Unreadable> {
        let body = self.bytes()?;
        let mut properties = self.properties.read()?;
        if !self.headers.is_empty() {
            properties = properties.with_headers(read_table("headers", &self.headers)?);
        }
        Ok((properties, body))
    }
}

/// Hashes JSON piece by piece: it may be several times as large as the dead letter.
struct Hash(Sha256);

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn written_body(bytes: Vec<u8>) -> (Option<String>, Option<String>) {
    match String::from_utf8(bytes) {
        Ok(text) => (Some(text), None),
        Err(error) => (None, Some(BASE64.encode(error.as_bytes()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_never_written_is_refused_by_its_place() {
        for (wrong, told) in [
            (json!({ "headers": { "a": 1.5 }, "body": "" }), "headers.a: 1.5"),
            (json!({ "headers": { "a": { "u8": 256 } }, "body": "" }), "headers.a: {\"u8\":256}"),
            (json!({ "headers": { "a": { "table": { "b": { "c": 1, "d": 2 } } } }, "body": "" }), "headers.a.b"),
            (json!({ "headers": {} }), "body_base64"),
            (json!({ "body": "", "body_base64": "" }), "either"),
            (json!({ "body_base64": "?" }), "body_base64"),
            (json!({ "properties": { "app_id": "x".repeat(256) }, "body": "" }), "app_id"),
        ] {
            let transcript: Transcript = serde_json::from_value(wrong).expect("the form is right");
            let error = transcript.message().expect_err(told).to_string();
            assert!(error.contains(told), "{error}");
        }
        assert!(serde_json::from_value::<Transcript>(json!({ "boddy": "" })).is_err(), "an unknown key is a mistake");
    }
}
