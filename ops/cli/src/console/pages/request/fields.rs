//! What was typed into a form, or stands in the address.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use url::form_urlencoded;

use crate::console::pages::frame::Refusal;

/// The most bytes of a form.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// The longest wait for a whole form.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Names and values, in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads the form of `name=value&…`, as a browser sends it.
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The value of this name, without spaces around it; none where it is missing or empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// All values of this name, without spaces around them; those that are empty are left out.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// The value of this name as it was typed; empty where it is missing.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let refused = |title, detail: String| Refusal::new(StatusCode::BAD_REQUEST, title, detail);
        let body = tokio::time::timeout(TIMEOUT, to_bytes(request.into_body(), MAX_BYTES)).await;
        match body {
            Ok(Ok(bytes)) => Ok(Self::parse(&bytes)),
            Ok(Err(_)) => Err(refused("The form is too large", format!("a form may have {MAX_BYTES} bytes"))),
            Err(_) => Err(refused("The form did not arrive", format!("it was not whole within {TIMEOUT:?}"))),
        }
    }
}
