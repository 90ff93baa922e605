//! What a browser keeps for a person beside their session: signed with the same key, and good for their name alone.

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac as _;

use super::cookie::{self, Cookie};
use super::key::SessionKey;

/// What the signature is for.
const PURPOSE: &[u8] = b"sluice console kept 1\n";

/// The text that a request brings; none: there is none, or it is not of this person.
pub(crate) fn read(headers: &HeaderMap, secure: bool, key: &SessionKey, name: &str) -> Option<String> {
    let (text, mac) = cookie::given(headers, Cookie::Kept, secure)?.split_once('~')?;
    key.mac(PURPOSE, &format!("{name}~{text}"), None)?.verify_slice(&URL_SAFE_NO_PAD.decode(mac).ok()?).ok()?;
    String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// The header that has the browser keep it.
pub(crate) fn set(text: &str, secure: bool, key: &SessionKey, name: &str) -> HeaderValue {
    let text = URL_SAFE_NO_PAD.encode(text);
    let mac = key.mac(PURPOSE, &format!("{name}~{text}"), None).map(|mac| mac.finalize().into_bytes());
    let value = format!("{text}~{}", URL_SAFE_NO_PAD.encode(mac.unwrap_or_default()));
    cookie::set(&value, Cookie::Kept, secure)
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    #[test]
    fn what_is_kept_is_read_back_for_the_same_person_alone() {
        let key = SessionKey::draw().expect("the kernel has chance");
        let kept = set("{\"a\":\"ü\"}", false, &key, "ann");
        let value = kept.to_str().expect("ASCII").split(';').next().expect("a value").to_owned();
        let read = |value: &str, name: &str| {
            let headers = HeaderMap::from_iter([(header::COOKIE, value.parse().expect("a header"))]);
            read(&headers, false, &key, name)
        };
        assert_eq!(read(&value, "ann").as_deref(), Some("{\"a\":\"ü\"}"));
        assert_eq!((read(&value, "bob"), read(&value.replacen('~', "A~", 1), "ann")), (None, None));
    }
}
