//! The one part of the sender that speaks HTTP. What it sends are events, which hold no post's text.

use std::time::Duration;

use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{Request, StatusCode, Uri};
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

    /// Sends an event once, and gives the status of the answer. Redirects are answers like any other: nothing follows
    /// them.
    ///
    /// # Errors
    /// Why there was no answer. Not where it went: an address may hold what only the forum is to know.
    pub(super) async fn post(&self, url: &Uri, message: Message) -> Result<StatusCode, String> {
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
            let status = response.status();
            // Who has answered has taken it or not, however the rest of the answer fares.
            let _ = Limited::new(response.into_body(), ANSWER_MAX_BYTES).collect().await;
            Ok(status)
        };
        tokio::time::timeout(TIMEOUT, answered).await.unwrap_or_else(|_| Err(format!("no answer within {TIMEOUT:?}")))
    }
}
