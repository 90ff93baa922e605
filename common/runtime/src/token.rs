//! The token of a program that sends posts or uses the API: made here, shown once, and kept by nobody but that program. Sluice has its hash.

use std::io;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::random::random;

/// How a token begins, so that one that lies around is known for what it is.
const BEGINS: &str = "sluice_";
/// How many bytes of it are drawn by chance.
const RANDOM_BYTES: usize = 32;

/// The hash by which a token is known. Nothing that is signed or kept is made of it, and nobody can turn it back: a
/// token has 256 bits of chance.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a token.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut hash = [0; 32];
        for (byte, at) in hash.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
        }
        Some(Self(hash))
    }

    /// As hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether two are the same, in a time that does not tell where they differ.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// A new token, of the kernel's randomness.
///
/// # Errors
/// When the kernel gives none.
pub fn new() -> io::Result<String> {
    Ok(format!("{BEGINS}{}", URL_SAFE_NO_PAD.encode(random::<RANDOM_BYTES>()?)))
}

/// The token that a request shows in its header `Authorization: Bearer TOKEN`. None if there is none, or if there are
/// two, because it would be unclear which one counts.
#[must_use]
pub fn shown(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(header::AUTHORIZATION).into_iter();
    let (Some(value), None) = (given.next(), given.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_from_the_one_header_that_shows_it() {
        let headers = |values: &[&str]| {
            let value = |value: &&str| (header::AUTHORIZATION, value.parse().expect("a value"));
            values.iter().map(value).collect::<HeaderMap>()
        };
        assert_eq!(shown(&headers(&["Bearer abc"])), Some("abc"));
        assert_eq!(shown(&headers(&["bEARER  abc "])), Some("abc"));
        for wrong in [&[][..], &["abc"], &["Basic abc"], &["Bearer"], &["Bearer a", "Bearer b"]] {
            assert_eq!(shown(&headers(wrong)), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_token_is_known_by_its_hash_and_no_two_are_the_same() {
        let (one, other) = (new().expect("the kernel has chance"), new().expect("the kernel has chance"));
        assert!(one != other && one.len() > 40 && one.starts_with(BEGINS));
        let hash = TokenHash::from_hex(&TokenHash::of(&one).to_hex()).expect("its own form");
        assert!(hash.is(&TokenHash::of(&one)) && !hash.is(&TokenHash::of(&other)));
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(TokenHash::of("abc").to_hex(), known);
        for wrong in ["", "ba78", &"g".repeat(64), &"é".repeat(32)] {
            assert!(TokenHash::from_hex(wrong).is_none(), "{wrong}");
        }
    }
}
