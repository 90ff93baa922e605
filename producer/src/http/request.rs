//! The span of a request, from its head to its answer; of a batch, to the last result.

use axum::http::{HeaderMap, StatusCode};
use sluice_core::trace_parent::{TRACE_HEADER, TraceParent};
use sluice_traces::{Kind, Span, Tracer};

/// Begins it, in the trace that the client names, if it names one that can be read.
pub(super) fn begin(tracer: &Tracer, headers: &HeaderMap, route: &'static str) -> Span {
    let mut span = tracer.begin("accept", Kind::Server, named(headers));
    span.set("http.request.method", || "POST".to_owned());
    span.set("http.route", || route.to_owned());
    span
}

/// The request was answered so.
pub(super) fn answered(span: &mut Span, status: StatusCode) {
    span.set("http.response.status_code", || status.as_u16().to_string());
}

/// The request was refused with this problem. Only what is not the client's fault is a failure of the step.
pub(super) fn refused(span: &mut Span, status: StatusCode, problem: &str) {
    answered(span, status);
    if status.is_server_error() {
        span.fail(problem);
    }
}

/// The one trace that a request names. If there are several it is unclear which one counts, and none does.
fn named(headers: &HeaderMap) -> Option<TraceParent> {
    let mut named = headers.get_all(TRACE_HEADER).into_iter();
    match (named.next(), named.next()) {
        (Some(one), None) => one.to_str().ok()?.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn one_good_header_names_a_trace_and_anything_else_names_none() {
        let named = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            values.iter().for_each(|value| _ = headers.append(TRACE_HEADER, value.parse().expect("a header")));
            named(&headers).map(|named| named.to_string())
        };
        assert_eq!(named(&[GOOD]).as_deref(), Some(GOOD));
        for none in [&[][..], &["x"], &[GOOD, GOOD], &[""]] {
            assert_eq!(named(none), None, "{none:?}");
        }
    }

    #[test]
    fn while_nothing_is_exported_a_trace_is_passed_on_as_it_is_and_none_is_begun() {
        let mut headers = HeaderMap::new();
        let off = Tracer::default();
        assert_eq!(begin(&off, &headers, "/posts").child("publish", Kind::Producer).place(), None);
        headers.insert(TRACE_HEADER, GOOD.parse().expect("a header"));
        let place = begin(&off, &headers, "/posts").child("publish", Kind::Producer).place();
        assert_eq!(place.map(|place| place.to_string()).as_deref(), Some(GOOD));
    }
}
