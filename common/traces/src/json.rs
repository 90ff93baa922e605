//! Spans in the JSON form of the OpenTelemetry protocol.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use sluice_core::trace_parent::TraceParent;

use crate::ended::{Ended, Kind};

/// The body of a request. `resource` is what the program says of itself.
pub(crate) fn request(resource: &[(String, String)], spans: &[Ended]) -> String {
    let spans: Vec<Value> = spans.iter().map(span).collect();
    let scope = json!({ "name": "sluice", "version": sluice_core::VERSION });
    let resource = resource.iter().map(|(key, value)| attribute(key, value)).collect::<Vec<_>>();
    json!({
        "resourceSpans": [{
            "resource": { "attributes": resource },
            "scopeSpans": [{ "scope": scope, "spans": spans }],
        }]
    })
    .to_string()
}

fn span(span: &Ended) -> Value {
    let attributes = span.attributes.iter().map(|(key, value)| attribute(key, value)).collect::<Vec<_>>();
    let mut object = json!({
        "traceId": span.place.trace_id(),
        "spanId": span.place.span_id(),
        "name": span.name,
        "kind": kind(span.kind),
        "startTimeUnixNano": nanoseconds(span.began),
        "endTimeUnixNano": nanoseconds(span.ended.max(span.began)),
        "attributes": attributes,
    });
    if let Some(parent) = span.parent {
        object["parentSpanId"] = TraceParent { span: parent, ..span.place }.span_id().into();
    }
    if let Some(failed) = &span.failed {
        object["status"] = json!({ "code": 2, "message": failed });
    }
    object
}

fn attribute(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// As the protocol numbers them.
fn kind(kind: Kind) -> u8 {
    match kind {
        Kind::Internal => 1,
        Kind::Server => 2,
        Kind::Client => 3,
        Kind::Producer => 4,
        Kind::Consumer => 5,
    }
}

/// A number of 64 bits is a text in this form.
fn nanoseconds(at: SystemTime) -> String {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos()).to_string()
}
