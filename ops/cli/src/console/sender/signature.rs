//! The signature of an event, as Standard Webhooks has it: a receiver verifies it with any library of that name, or
//! with a few lines of its own.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::Sha256;
use uuid::Uuid;

/// How a secret begins in the file.
const BEGINS: &str = "whsec_";
/// The lengths of a secret that the standard has, in bytes.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// What an endpoint and Sluice alone know. In no text form.
#[derive(Clone)]
pub(crate) struct Secret(SecretSlice<u8>);

impl Secret {
    /// Reads `whsec_` and base64.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix(BEGINS)?).ok()?;
        BYTES.contains(&bytes.len()).then(|| Self(bytes.into()))
    }

    fn sign(&self, parts: &[&[u8]]) -> Option<String> {
        // Any length of a key will do for it.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).ok()?;
        parts.iter().for_each(|part| mac.update(part));
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a secret)")
    }
}

/// The value of `webhook-signature`: one signature a secret, separated by spaces. `timestamp` is in seconds since 1970.
pub(super) fn sign(secrets: &[Secret], id: Uuid, timestamp: i64, body: &str) -> String {
    let head = format!("{id}.{timestamp}.");
    let signed = secrets.iter().filter_map(|secret| secret.sign(&[head.as_bytes(), body.as_bytes()]));
    signed.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_another_implementation() {
        // python3: base64(hmac(b64decode(secret), b"<id>.1614265330.{\"test\": 2432232314}", sha256))
        let secret = Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret");
        let id = Uuid::from_u128(1);
        let body = r#"{"test": 2432232314}"#;
        let one = sign(std::slice::from_ref(&secret), id, 1_614_265_330, body);
        assert_eq!(one, "v1,iCxWDzOB1td6pu5wFuJotaWTEKkcYodMae2NqIIaffg=");
        assert_eq!(sign(&[secret.clone(), secret], id, 1_614_265_330, body), format!("{one} {one}"));
    }

    #[test]
    fn a_secret_is_base64_of_enough_bytes_and_is_not_shown() {
        for wrong in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ", "whsec_!!!"] {
            assert!(Secret::read(wrong).is_none(), "{wrong}");
        }
        let secret = Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret");
        assert_eq!(format!("{secret:?}"), "(a secret)");
    }
}
