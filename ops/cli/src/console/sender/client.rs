//! The one part of the sender that speaks HTTP. What it sends are events, which hold no post's text.

use std::time::{Duration, SystemTime};

use http::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Limited};
use sluice_https::Client;

/// The longest wait for an answer, from the look-up of the name to its last byte.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How much of an answer is read. Only its status matters; the rest is read so that the connection can be used again.
const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// An event with its headers, as an endpoint gets it.
pub(super) struct Message {
    /// `webhook-id`.
    pub(super) id: String,
    /// `webhook-timestamp`, in seconds since 1970.
    pub(super) timestamp: i64,
    /// `webhook-signature`.
    pub(super) signature: String,
    /// The body that is signed.
    pub(super) body: String,
}

/// An endpoint's answer, as far as it matters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    /// Its status.
    pub(super) status: u16,
    /// How long it asks not to be tried again (`Retry-After`).
    pub(super) retry_after: Option<Duration>,
}

/// A way to all webhooks. Cheap to clone; its clones share connections.
#[derive(Clone)]
pub(crate) struct Poster(Client);

impl Poster {
    /// Prepares to send; nothing is opened yet. `tls`: whether any endpoint has an `https` address.
    ///
    /// # Errors
    /// When TLS is needed and the system has no certificates to trust.
    pub(crate) fn new(tls: bool) -> anyhow::Result<Self> {
        Ok(Self(Client::new(tls)?))
    }

    /// Sends an event once, and gives the answer. Redirects are answers like any other: nothing follows them.
    ///
    /// # Errors
    /// Why there was no answer. Not where it went: an address may hold what only the forum is to know.
    pub(super) async fn post(&self, url: &Uri, message: Message) -> Result<Answer, String> {
        let request = Request::post(url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("sluice/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", message.id)
            .header("webhook-timestamp", message.timestamp)
            .header("webhook-signature", message.signature)
            .body(message.body)
            .map_err(|error| error.to_string())?;
        let answered = async {
            let response = self.0.send(request).await?;
            let status = response.status().as_u16();
            let answer = Answer { status, retry_after: retry_after(response.headers(), SystemTime::now()) };
            // Who has answered has taken it or not, however the rest of the answer fares.
            let _ = Limited::new(response.into_body(), ANSWER_MAX_BYTES).collect().await;
            Ok(answer)
        };
        tokio::time::timeout(TIMEOUT, answered).await.unwrap_or_else(|_| Err(format!("no answer within {TIMEOUT:?}")))
    }
}

/// What `Retry-After` says, in seconds or as a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let wait = headers.get(RETRY_AFTER)?.to_str().ok()?;
    match wait.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(wait).ok()?.duration_since(now).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_and_anything_else_is_ignored() {
        let now = httpdate::parse_http_date("Sun, 29 Nov 2026 12:00:00 GMT").expect("a date");
        let wait =
            |text: &str| retry_after(&HeaderMap::from_iter([(RETRY_AFTER, text.parse().expect("a header"))]), now);
        assert_eq!(wait("120"), Some(Duration::from_secs(120)));
        assert_eq!(wait("Sun, 29 Nov 2026 12:01:00 GMT"), Some(Duration::from_secs(60)));
        for ignored in ["Sun, 29 Nov 2026 11:00:00 GMT", "-1", "soon", ""] {
            assert_eq!(wait(ignored), None, "{ignored}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
