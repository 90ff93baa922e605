//! The error responses for HTTP clients: `application/problem+json` (RFC 9457), the one format for all errors of all
//! programs.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use sluice_core::post::PostId;

/// A problem: for programs a type and a status, for people a title and the detail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Its short name, shown as `urn:sluice:problem:NAME`; stays the same from version to version.
    #[serde(rename = "type", serialize_with = "as_urn")]
    pub name: &'static str,
    /// The same words for each problem of this type.
    pub title: &'static str,
    /// The HTTP status.
    #[serde(serialize_with = "as_number")]
    pub status: StatusCode,
    /// What is wrong this time, and the fix.
    pub detail: String,
    /// The fields at fault, each with what is wrong with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// The post it is about, where it has an id already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<PostId>,
    /// What else a program may want to know: who was first, and when.
    #[serde(flatten)]
    more: Option<Box<Map<String, Value>>>,
    /// When to try again, in seconds.
    #[serde(skip)]
    retry_after: Option<u32>,
}

/// One field at fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// The field's name (or the header's).
    pub field: &'static str,
    /// What is wrong with it, to be read after the field's name: `is missing`.
    pub problem: String,
}

impl Problem {
    /// A problem.
    #[must_use]
    pub fn new(status: StatusCode, name: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { name, title, status, detail: detail.into(), errors: Vec::new(), id: None, more: None, retry_after: None }
    }

    /// 503: a limit on concurrent work is reached, as `detail` says.
    #[must_use]
    pub fn overloaded(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "Overloaded", detail)
            .retry_after(Duration::from_secs(1))
    }

    /// With the fields at fault.
    #[must_use]
    pub fn fields(mut self, errors: Vec<FieldProblem>) -> Self {
        self.errors = errors;
        self
    }

    /// About this post.
    #[must_use]
    pub fn about(mut self, id: PostId) -> Self {
        self.id = Some(id);
        self
    }

    /// With one more member, under a name that is none of those above. A value without a JSON form is left out.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.more.get_or_insert_default().insert(name.to_owned(), value);
        }
        self
    }

    /// With the advice to try again after so long (whole seconds).
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).max(1));
        self
    }
}

fn as_urn<S: Serializer>(name: &&'static str, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("urn:sluice:problem:{name}"))
}

fn as_number<S: Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u16(status.as_u16())
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // A struct of texts and numbers always has a JSON form.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_members_that_the_standard_names() {
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-post", "Not a valid post", "two fields")
            .fields(vec![FieldProblem { field: "title", problem: "is missing".to_owned() }]);
        assert_eq!(
            serde_json::to_value(&problem).expect("a problem has a JSON form"),
            serde_json::json!({
                "type": "urn:sluice:problem:invalid-post", "title": "Not a valid post", "status": 422,
                "detail": "two fields", "errors": [{"field": "title", "problem": "is missing"}],
            })
        );
    }

    #[test]
    fn its_response_has_the_media_type_and_the_advice_to_try_again() {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "queue-full", "Full", "wait");
        let response = problem.retry_after(Duration::from_secs(1)).into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        let unknown = Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "Who are you?", "send a token");
        assert_eq!(unknown.into_response().headers()[header::WWW_AUTHENTICATE], "Bearer");
    }
}
