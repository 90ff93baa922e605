//! The one layer that every request for a page passes: is the console reached under a name of its own, did a page of
//! its own send the form, who is it, and does their role suffice. A route that is not in the table lets nobody through.

use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use time::OffsetDateTime;
use url::form_urlencoded;

use super::app::Pages;
use super::frame::{self, Refusal};
use super::request::{Visit, Who};
use super::session::{self, Cookie, Session};
use super::table;

/// Lets a request through to its page, or says why not.
pub(super) async fn guard(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let response = match admit(&pages, &parts) {
        Err(refused) => *refused,
        Ok((visit, cookie)) => {
            let mut request = Request::from_parts(parts, body);
            request.extensions_mut().insert(visit.clone());
            let mut response = next.run(request).await;
            if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
                response = visit.refuse(refusal);
            }
            if let Some(cookie) = cookie.filter(|_| !response.headers().contains_key(header::SET_COOKIE)) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
    };
    frame::secured(response)
}

type Admitted = (Visit, Option<header::HeaderValue>);

/// Who it is, and their cookie where it is written again; or what is answered instead.
fn admit(pages: &Pages, parts: &Parts) -> Result<Admitted, Box<Response>> {
    let refused = |refusal| Box::new(Visit::new(parts, None).refuse(refusal));
    let host = host(parts);
    let Some(secure) = pages.0.hosts.secure(host) else { return Err(refused(unknown_host())) };
    if !is_read(&parts.method) && !is_own(&parts.headers, host) {
        return Err(refused(foreign_form()));
    }
    let path = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    let Some(route) = table::of(&parts.method, path) else {
        let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "Not that way", "Load the page again.".to_owned());
        return Err(refused(refusal));
    };
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let accounts = pages.0.accounts.now();
    let session = session::given(&parts.headers, Cookie::Session, secure)
        .and_then(|cookie| Session::read(cookie, &pages.0.key, &accounts, now));
    let who = session.as_ref().map(|session| Who { name: session.person.name.clone(), role: session.person.role });
    if let Some(needed) = route.role {
        let Some(who) = &who else { return Err(Box::new(to_login(parts))) };
        if !who.role.may(needed) {
            // Who tried it is for those who run the console to see; nobody without an account gets here.
            tracing::warn!(name = %who.name, role = %who.role, %needed, method = %parts.method, page = %path, "refused");
            let visit = Visit::new(parts, Some(who.clone()));
            return Err(Box::new(visit.refuse(Refusal::role(who.role, needed))));
        }
    }
    // A page that only refreshes itself does not keep a session alive.
    let seen = session.filter(|_| !Visit::is_poll(&parts.headers)).and_then(|session| session.seen(now));
    let cookie = seen.map(|session| session::set(&session.sign(&pages.0.key), Cookie::Session, secure));
    Ok((Visit::new(parts, who), cookie))
}

/// The `Host`, or what HTTP/2 has instead of it.
fn host(parts: &Parts) -> &str {
    let header = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    header.or_else(|| parts.uri.authority().map(|authority| authority.as_str())).unwrap_or_default()
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Whether a form was sent by a page of this very origin. Browsers say so by `Sec-Fetch-Site`, older ones and those
/// without TLS by `Origin`. A request with neither is none of a browser's; it is refused all the same.
fn is_own(headers: &HeaderMap, host: &str) -> bool {
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin.split_once("://").is_some_and(|(_, origin)| origin.eq_ignore_ascii_case(host)),
        (None, None) => false,
    }
}

/// To the login, and from there back: to the page that was asked for, or the one where the form stood.
fn to_login(parts: &Parts) -> Response {
    if Visit::is_poll(&parts.headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let asked = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let stood = || {
        let referer = parts.headers.get(header::REFERER)?.to_str().ok()?;
        let url = url::Url::parse(referer).ok()?;
        Some(format!("{}{}", url.path(), url.query().map(|query| format!("?{query}")).unwrap_or_default()))
    };
    let (back, lost) = match is_read(&parts.method) {
        true => (asked.to_owned(), ""),
        false => (stood().unwrap_or_else(|| "/".to_owned()), "&form=1"),
    };
    let back: String = form_urlencoded::byte_serialize(back.as_bytes()).collect();
    frame::see_other(&format!("/login?to={back}{lost}"))
}

fn unknown_host() -> Refusal {
    let detail = "The console is not served under this name. Whoever runs it can add the name to SLUICE_CONSOLE_URL.";
    Refusal::new(StatusCode::MISDIRECTED_REQUEST, "Unknown address", detail.to_owned())
}

fn foreign_form() -> Refusal {
    let detail = "The form was not sent by a page of this console, so nothing was done. Load the page again, and send \
                  it from there.";
    Refusal::new(StatusCode::FORBIDDEN, "Not from here", detail.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_form_of_ones_own_page_is_taken() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            pairs.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value"))).collect()
        };
        let own = |pairs: &[(&'static str, &'static str)]| is_own(&headers(pairs), "here:8082");
        assert!(own(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(own(&[("origin", "http://here:8082")]) && own(&[("origin", "https://HERE:8082")]));
        for foreign in ["cross-site", "same-site", "none", ""] {
            assert!(!own(&[("sec-fetch-site", foreign), ("origin", "http://here:8082")]), "{foreign}");
        }
        for origin in ["http://there:8082", "http://here", "null", "here:8082", "http://here:8082.evil"] {
            assert!(!own(&[("origin", origin)]), "{origin}");
        }
        assert!(!own(&[]), "whoever says neither is no browser");
    }
}
