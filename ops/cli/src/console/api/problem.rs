//! What a client is told when something is not as it was asked for.

use std::time::Duration;

use axum::http::StatusCode;
use sluice_core::failure::{Failure, Kind};
use sluice_core::post::PostId;
use sluice_runtime::health::{FieldProblem, Problem};

use crate::console::access::{Client, Scope};
use crate::visible::cut;

/// How soon a client may retry after a 503.
const COME_BACK: Duration = Duration::from_secs(1);

/// 400: the body is no JSON.
pub(super) fn not_json(why: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "not-json", "Not JSON", cut(why, 300))
}

/// 422: the body, a header or the query says what cannot be.
pub(super) fn invalid(field: &'static str, problem: impl Into<String>) -> Problem {
    let problem = problem.into();
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid-request",
        "Not a valid request",
        format!("{field} {problem}"),
    )
    .fields(vec![FieldProblem { field, problem }])
}

/// 422: the body is JSON, and not of the right form.
pub(super) fn wrong_form(why: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-request", "Not a valid request", cut(why, 300))
}

/// 401: there is no token.
pub(super) fn no_token() -> Problem {
    let detail = "send the header `Authorization: Bearer TOKEN`; `sluice console token` makes one";
    Problem::new(StatusCode::UNAUTHORIZED, "no-token", "No token", detail)
}

/// 401: nobody has this token.
pub(super) fn unknown_token() -> Problem {
    let detail = "no client has this token; `sluice console token` makes one, and its lines go into the file of \
                  SLUICE_ACCOUNTS";
    Problem::new(StatusCode::UNAUTHORIZED, "unknown-token", "Unknown token", detail)
}

/// 403: the client may not.
pub(super) fn no_scope(client: &Client, scope: Scope) -> Problem {
    let detail = format!("this needs the scope `{scope}`, and `{}` has: {}", client.name, client.scopes());
    Problem::new(StatusCode::FORBIDDEN, "no-scope", "Not allowed", detail).with("scope", scope)
}

/// 404: there is nothing at this path.
pub(super) fn not_found(path: &str) -> Problem {
    let detail = format!("nothing is at {}; what there is: GET /api/v1/openapi.json", cut(path, 200));
    Problem::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
}

/// 405: the path takes other methods.
pub(super) fn wrong_method(method: &str, path: &str) -> Problem {
    let detail = format!("{} does not take {}; the header Allow says what it takes", cut(path, 200), cut(method, 20));
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "Method not allowed", detail)
}

/// 404: there is no such thing; `what` is a post, a case and the like.
pub(super) fn none_such(what: &str, id: &str) -> Problem {
    let detail = format!("there is no {what} `{}`", cut(id, 60));
    Problem::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
}

/// 404: what stands in the place of an id is none.
pub(super) fn no_uuid(text: &str) -> Problem {
    let detail = format!("`{}` is no UUID, and all ids are", cut(text, 60));
    Problem::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
}

/// 404: the post is not stored.
pub(super) fn no_post(post: PostId) -> Problem {
    let detail = format!("no post `{post}` is stored; one that was accepted may still wait in the queue");
    Problem::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail).about(post)
}

/// 413: the body is too large.
pub(super) fn too_large(limit: usize) -> Problem {
    let detail = format!("the body is longer than {limit} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", detail)
}

/// 408: the body does not arrive.
pub(super) fn too_slow(limit: Duration) -> Problem {
    let detail = format!("the body did not arrive within {limit:?}");
    Problem::new(StatusCode::REQUEST_TIMEOUT, "body-timeout", "The body arrived too slowly", detail)
}

/// 400: the body is incomplete.
pub(super) fn broken_off() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "broken-body",
        "The body is incomplete",
        "the body ended before it was complete",
    )
}

/// 415: the body is of another type.
pub(super) fn wrong_content_type(found: Option<&str>) -> Problem {
    let found =
        found.map_or("there is no Content-Type".to_owned(), |found| format!("Content-Type is {}", cut(found, 100)));
    let detail = format!("{found}; send application/json");
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-content-type", "Not a JSON content type", detail)
}

/// 422: the key was another request's.
pub(super) fn key_reused() -> Problem {
    let detail = "this Idempotency-Key was used for another request; make a new key for each";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "key-reused", "The key is used", detail)
}

/// 409: somebody or something was first.
pub(super) fn conflict(name: &'static str, title: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::CONFLICT, name, title, detail)
}

/// 503 while the database cannot be used, else 500. Where it is stays in the log.
pub(super) fn unusable(failure: &Failure) -> Problem {
    if failure.kind == Kind::Permanent {
        let detail = format!("the database refused this ({}); the log of the console says more", failure.code);
        return Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "refused-by-database",
            "Refused by the database",
            detail,
        );
    }
    let detail = format!(
        "the database cannot be used now ({}); whether this was done is not known: send it again with the same \
         Idempotency-Key",
        failure.code
    );
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "database-unusable", "The database cannot be used", detail)
        .retry_after(COME_BACK)
}

/// 503: the console stops.
pub(super) fn stopping() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "Stopping", "the console stops; try another one")
        .retry_after(COME_BACK)
}
