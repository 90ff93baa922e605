//! The cookie of a session. Scripts cannot read it, and no request that another site began brings it.

use axum::http::{HeaderMap, HeaderValue, header};

use super::key::SESSION_MOST;

/// Its name: with TLS in front one that browsers only take from this very host, over TLS.
fn name(secure: bool) -> &'static str {
    if secure { "__Host-sluice" } else { "sluice" }
}

/// The value that a request brings.
pub(crate) fn given(headers: &HeaderMap, secure: bool) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut named = cookies.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    named.find(|(known, _)| *known == name(secure)).map(|(_, value)| value)
}

/// The header that sets it.
pub(crate) fn set(value: &str, secure: bool) -> HeaderValue {
    let tls = if secure { "; Secure" } else { "" };
    let cookie = format!("{}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={SESSION_MOST}{tls}", name(secure));
    HeaderValue::try_from(cookie).unwrap_or(HeaderValue::from_static(""))
}

/// The header that takes it away.
pub(crate) fn clear(secure: bool) -> HeaderValue {
    let tls = if secure { "; Secure" } else { "" };
    let cookie = format!("{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0{tls}", name(secure));
    HeaderValue::try_from(cookie).unwrap_or(HeaderValue::from_static(""))
}
