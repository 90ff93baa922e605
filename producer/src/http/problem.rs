//! Each reason for which a post is not accepted, as the client gets it and as `/metrics` counts it. The names of the
//! problems are the values of `sluice_posts_refused_total{reason}`.

use std::time::Duration;

use axum::http::StatusCode;
use sluice_core::post::PostId;
use sluice_rabbit::publisher::PublishError;
use sluice_runtime::health::Problem;

use crate::refusal::Refusal;

/// How soon a client may retry after a 503.
const COME_BACK: Duration = Duration::from_secs(1);

/// The name of the problem of a post for which there is no memory, see [`crate::memory`].
pub const OVERLOADED: &str = "overloaded";

/// The input is not a post.
#[must_use]
pub fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::NotJson(_) => Problem::new(StatusCode::BAD_REQUEST, "not-json", "Not JSON", refusal.to_string()),
        Refusal::Invalid(fields) => {
            let detail = Refusal::Invalid(fields.clone()).to_string();
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-post", "Not a valid post", detail).fields(fields)
        }
    }
}

/// The post is valid, but the broker did not accept it. The problem has the post's id: a retry with it cannot create a
/// second row, whatever the outcome of the first try.
#[must_use]
pub fn not_published(error: &PublishError, id: PostId) -> Problem {
    let title = match error {
        PublishError::Unroutable(_) => "No queue for the post",
        PublishError::Oversized { .. } | PublishError::Refused(_) => "Too large for RabbitMQ",
        PublishError::Full => "The queue is full",
        PublishError::NoLeader(_) => "The queue has no leader",
        PublishError::Blocked => "RabbitMQ accepts no posts",
        PublishError::Unreachable(_) => "RabbitMQ is unavailable",
        PublishError::Unconfirmed(_) => "Not confirmed in time",
    };
    unavailable(name(error), title, format!("{error}; try again with this id")).about(id)
}

/// The name of the problem of a post that the broker did not accept, in responses, metrics and logs.
#[must_use]
pub fn name(error: &PublishError) -> &'static str {
    match error {
        PublishError::Unroutable(_) => "unroutable",
        PublishError::Oversized { .. } | PublishError::Refused(_) => "too-large-for-broker",
        PublishError::Full => "queue-full",
        PublishError::NoLeader(_) => "no-leader",
        PublishError::Blocked => "broker-blocked",
        PublishError::Unreachable(_) => "broker-unreachable",
        PublishError::Unconfirmed(_) => "unconfirmed",
    }
}

/// The queues have not been declared, so no post can be kept.
#[must_use]
pub fn not_declared(reason: &str) -> Problem {
    unavailable("not-declared", "No queue yet", reason)
}

fn unavailable(name: &'static str, title: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, name, title, detail).retry_after(COME_BACK)
}

/// A body, a line or a batch is too large; `what` says which, and its limit.
#[must_use]
pub fn too_large(what: impl Into<String>) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", what)
}

/// The content type is not supported.
#[must_use]
pub fn wrong_content_type(found: Option<&str>, wanted: &str) -> Problem {
    let found = found.map_or("there is no Content-Type".to_owned(), |found| format!("Content-Type is {found}"));
    let (status, detail) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("{found}; send {wanted}"));
    Problem::new(status, "wrong-content-type", "Not a JSON content type", detail)
}

/// The encoding of the body is not supported.
#[must_use]
pub fn wrong_encoding(found: &str) -> Problem {
    let detail = format!("Content-Encoding is {found}; send gzip, or no Content-Encoding");
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-content-encoding", "Not a known encoding", detail)
}

/// The body is declared as gzip, but is not, or is truncated.
#[must_use]
pub fn not_gzip() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "not-gzip", "Not gzip", "the body is not gzip, or is truncated")
}

/// The body did not arrive in time.
#[must_use]
pub fn too_slow(limit: Duration) -> Problem {
    let detail = format!("the body did not arrive within {limit:?}");
    Problem::new(StatusCode::REQUEST_TIMEOUT, "body-timeout", "The body arrived too slowly", detail)
}

/// The body is incomplete.
#[must_use]
pub fn broken_off() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "broken-body",
        "The body is incomplete",
        "the body ended before it was \
                                                                                    complete",
    )
}

/// There is nothing at this path.
#[must_use]
pub fn not_found(path: &str) -> Problem {
    let routes = "the routes are POST /posts, POST /posts/batch and GET /healthz, and, unless they have a port of their \
                  own, GET /readyz and GET /metrics";
    Problem::new(StatusCode::NOT_FOUND, "not-found", "Not found", format!("there is nothing at {path}; {routes}"))
}

/// The path takes other methods.
#[must_use]
pub fn wrong_method(method: &str, path: &str) -> Problem {
    let detail = format!("{path} does not allow {method}; the header Allow lists the allowed methods");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "Method not allowed", detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header;
    use axum::response::IntoResponse as _;
    use sluice_core::failure::{Failure, Kind};
    use sluice_rabbit::broker::BrokerError;
    use sluice_runtime::health::FieldProblem;

    #[test]
    fn whatever_the_broker_does_the_client_is_told_to_come_back_with_the_same_id() {
        let failure = Failure::new(Kind::Dependency, "amqp_unreachable", "Connection refused");
        let id = PostId::new();
        let mut names = std::collections::HashSet::new();
        for error in [
            PublishError::Unroutable("post_exchange".to_owned()),
            PublishError::Full,
            PublishError::NoLeader("post_queue".to_owned()),
            PublishError::Blocked,
            PublishError::Unreachable(BrokerError { at: "h:5672".to_owned(), failure }),
            PublishError::Unconfirmed(Duration::from_secs(2)),
        ] {
            let problem = not_published(&error, id);
            assert!(problem.detail.starts_with(&error.to_string()), "{}", problem.detail);
            assert_eq!(problem.id, Some(id));
            assert!(names.insert(problem.name), "{} is the name of two problems", problem.name);
            let response = problem.into_response();
            assert_eq!(
                (response.status(), &response.headers()[header::RETRY_AFTER]),
                (StatusCode::SERVICE_UNAVAILABLE, &"1".parse().expect("a header"))
            );
        }
    }

    #[test]
    fn bad_input_is_told_apart_by_its_status() {
        let fields = vec![FieldProblem { field: "title", problem: "is missing".to_owned() }];
        let invalid = refused(Refusal::Invalid(fields.clone()));
        assert_eq!(
            (invalid.status.as_u16(), invalid.errors, invalid.detail.as_str()),
            (422, fields, "title is missing")
        );
        assert_eq!(refused(Refusal::NotJson("it is empty".to_owned())).status.as_u16(), 400);
    }
}
