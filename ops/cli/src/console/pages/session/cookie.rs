//! Cookies: of the session, and of what is kept beside it. Scripts cannot read them, and no request that another site
//! began brings them.

use axum::http::{HeaderMap, HeaderValue, header};

use super::key::SESSION_MOST;

/// How long what is kept lasts in a browser, in seconds: 400 days, the longest that browsers take.
const KEPT_MOST: i64 = 400 * 24 * 3600;

/// Which one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cookie {
    /// Who it is.
    Session,
    /// What they have set for themselves.
    Kept,
}

impl Cookie {
    /// Its name: with TLS in front one that browsers only take from this very host, over TLS.
    fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Session, true) => "__Host-sluice",
            (Self::Session, false) => "sluice",
            (Self::Kept, true) => "__Host-sluice-kept",
            (Self::Kept, false) => "sluice-kept",
        }
    }

    fn lasts(self) -> i64 {
        match self {
            Self::Session => SESSION_MOST,
            Self::Kept => KEPT_MOST,
        }
    }
}

/// The value that a request brings.
pub(crate) fn given(headers: &HeaderMap, cookie: Cookie, secure: bool) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut named = cookies.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    named.find(|(known, _)| *known == cookie.name(secure)).map(|(_, value)| value)
}

/// The header that sets it.
pub(crate) fn set(value: &str, cookie: Cookie, secure: bool) -> HeaderValue {
    header(value, cookie, cookie.lasts(), secure)
}

/// The header that takes the session's away.
pub(crate) fn clear(secure: bool) -> HeaderValue {
    header("", Cookie::Session, 0, secure)
}

fn header(value: &str, cookie: Cookie, lasts: i64, secure: bool) -> HeaderValue {
    let (name, tls) = (cookie.name(secure), if secure { "; Secure" } else { "" });
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={lasts}{tls}");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}
