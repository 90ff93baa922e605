//! The ways to answer: a page, a part of one, the way to another one.

use askama::Template;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use super::refusal::Refusal;

/// What a handler answers.
pub(crate) type Answered = Result<Response, Refusal>;

/// A page.
pub(crate) trait Page: Template {
    /// The block of this name, if it is one that is kept up to date.
    fn part(&self, _id: &str) -> Option<askama::Result<String>> {
        None
    }
}

/// Nothing from elsewhere, nothing inline, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The headers of every answer. `Referrer-Policy` is not `no-referrer`, with which browsers send forms of our own with
/// `Origin: null`; nothing is told to other sites by this one either.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The page, whole.
pub(crate) fn whole(status: StatusCode, page: &impl Page) -> Answered {
    let text = page.render().map_err(|error| not_rendered(&error))?;
    Ok((status, Html(text)).into_response())
}

/// One part of it, or 304 where it is as the browser knows it.
pub(crate) fn part(page: &impl Page, id: &str, known: Option<&str>) -> Answered {
    let missing = || Refusal::new(StatusCode::NOT_FOUND, "There is no such part", "Load the page again.".to_owned());
    let text = page.part(id).ok_or_else(missing)?.map_err(|error| not_rendered(&error))?;
    let hash: String = Sha256::digest(text.as_bytes()).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{hash}\"");
    if known == Some(tag.as_str()) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    Ok(([(header::ETAG, tag)], Html(text)).into_response())
}

/// After an act: to the page that shows what became of it. `address` is of our own making, in ASCII.
pub(crate) fn see_other(address: &str) -> Response {
    let address = HeaderValue::try_from(address).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response()
}

/// The response with the headers that protect it. Only assets may be kept by browsers.
pub(crate) fn secured(mut response: Response) -> Response {
    let headers: &mut HeaderMap = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn not_rendered(error: &askama::Error) -> Refusal {
    tracing::error!(%error, "a page could not be made");
    let detail = "The console's log says why.".to_owned();
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "The page could not be made", detail)
}
