//! What a request brings: a body of JSON, an id in its path, a key in its headers; each within its bounds.

use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use sluice_runtime::health::Problem;
use uuid::Uuid;

use super::app::Api;
use super::problem;
use crate::console::access::Client;

/// The most bytes of a body.
const BODY_MAX_BYTES: usize = 64 * 1024;
/// How much of one that is larger is read and thrown away, so that its sender sees the answer and no broken connection.
const POURED_AWAY: usize = 16 * 1024 * 1024;
/// The longest wait for a whole body.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The header of the key.
const KEY_HEADER: &str = "idempotency-key";
/// The longest key.
const KEY_MAX_BYTES: usize = 255;
/// The namespace of ids made from idempotency keys (a version 4 UUID, drawn once for the console).
const KEYS: Uuid = Uuid::from_u128(0x0d0f_4c1e_55b7_4b0b_8f3c_6a51_9e3d_20c7);

/// A body. One without any byte and without a type is an empty object.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Api) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let mut pieces = body.into_data_stream();
        let mut bytes = Vec::new();
        let gathered = async {
            let mut read = 0;
            while let Some(piece) = pieces.next().await {
                let piece = piece.map_err(|_| problem::broken_off())?;
                read += piece.len();
                if read <= BODY_MAX_BYTES {
                    bytes.extend_from_slice(&piece);
                } else if read > POURED_AWAY {
                    break;
                }
            }
            if read > BODY_MAX_BYTES { Err(problem::too_large(BODY_MAX_BYTES)) } else { Ok(()) }
        };
        tokio::time::timeout(TIMEOUT, gathered).await.unwrap_or_else(|_| Err(problem::too_slow(TIMEOUT)))?;
        let found = parts.headers.get(header::CONTENT_TYPE).map(|found| found.to_str().unwrap_or_default());
        if bytes.is_empty() && found.is_none() {
            bytes.extend_from_slice(b"{}");
        } else if !found.is_some_and(is_json) {
            return Err(problem::wrong_content_type(found));
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|error| match error.classify() {
            Category::Data => problem::wrong_form(&error.to_string()),
            Category::Syntax | Category::Eof | Category::Io => problem::not_json(&error.to_string()),
        })
    }
}

fn is_json(found: &str) -> bool {
    let essence = found.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// The id in the path.
pub(super) struct Id(pub(super) Uuid);

impl FromRequestParts<Api> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let path = parts.uri.path().to_owned();
        let Ok(Path(id)) = Path::<String>::from_request_parts(parts, api).await else {
            return Err(problem::not_found(&path));
        };
        id.parse().map(Self).map_err(|_| problem::no_uuid(&id))
    }
}

/// Who asks, as the layer in front has found out, and under which key.
pub(super) struct Asker {
    /// The client's name.
    pub(super) name: String,
    /// What the key of the request stands for, where it has one: the same key of the same client is always the same id.
    pub(super) key: Option<Uuid>,
}

impl Asker {
    /// The id of what the request makes: by its key, or a new one.
    pub(super) fn id(&self) -> Uuid {
        self.key.unwrap_or_else(Uuid::now_v7)
    }
}

impl FromRequestParts<Api> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        // Without one the layer has let nobody through.
        let client = parts.extensions.get::<Client>().ok_or_else(problem::no_token)?;
        let key = key(&parts.headers)?.map(|key| id_of(&client.name, key));
        Ok(Self { name: client.name.clone(), key })
    }
}

/// The id that a key of a client stands for.
fn id_of(client: &str, key: &str) -> Uuid {
    Uuid::new_v5(&KEYS, format!("{client}\n{key}").as_bytes())
}

/// The key, if there is one.
fn key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut keys = headers.get_all(KEY_HEADER).into_iter();
    let wrong = |what: &str| Err(problem::invalid("Idempotency-Key", what));
    match (keys.next(), keys.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => wrong("is given twice"),
        (Some(key), None) => match key.to_str() {
            Ok(key) if (1..=KEY_MAX_BYTES).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Ok(Some(key))
            }
            Ok(_) | Err(_) => wrong("has to be 1 to 255 visible ASCII characters"),
        },
    }
}

/// A text of a body that may not be longer than this, and not empty.
pub(super) fn within(field: &'static str, text: &str, most: usize) -> Result<(), Problem> {
    let chars = text.chars().count();
    if !sluice_core::post::has_visible(text) {
        return Err(problem::invalid(field, "has no visible character"));
    }
    if chars > most {
        return Err(problem::invalid(field, format!("has {chars} characters, more than {most}")));
    }
    Ok(())
}

/// The same of one that may be missing.
pub(super) fn maybe_within(field: &'static str, text: Option<&str>, most: usize) -> Result<(), Problem> {
    text.map_or(Ok(()), |text| within(field, text, most))
}

/// What a query says, each name at most once.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// One of these names, or none.
    ///
    /// # Errors
    /// 422 when another name is in it, or one twice.
    pub(super) fn read(query: Option<&str>, names: &[&'static str]) -> Result<Self, Problem> {
        let mut found: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if !names.contains(&name.as_ref()) {
                let known = names.join(", ");
                return Err(problem::wrong_form(&format!("the query has `{name}`; it may have: {known}")));
            }
            if found.iter().any(|(other, _)| *other == name) {
                return Err(problem::wrong_form(&format!("the query has `{name}` twice")));
            }
            found.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(found))
    }

    /// A value.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// A number within bounds.
    ///
    /// # Errors
    /// 422 when it is none.
    pub(super) fn number(
        &self,
        name: &'static str,
        bounds: std::ops::RangeInclusive<u64>,
        default: u64,
    ) -> Result<u64, Problem> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        number.ok_or_else(|| {
            problem::invalid(name, format!("has to be a number from {} to {}", bounds.start(), bounds.end()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_each_clients_own_and_always_the_same() {
        assert_eq!(id_of("forum", "7"), id_of("forum", "7"));
        assert_ne!(id_of("forum", "7"), id_of("tool", "7"));
        assert_eq!(id_of("forum", "7").get_version_num(), 5);
        let headers = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(KEY_HEADER, value.parse().expect("a header"));
            }
            headers
        };
        assert_eq!(key(&headers(&["order-7"])).ok().flatten(), Some("order-7"));
        assert_eq!(key(&headers(&[])).ok(), Some(None));
        for wrong in [&["a", "a"][..], &[""], &["a b"], &[&"x".repeat(256)]] {
            assert!(key(&headers(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_query_has_known_names_once_and_numbers_within_bounds() {
        let query = Query::read(Some("after=7&limit=x"), &["after", "limit"]).expect("known names");
        assert_eq!((query.number("after", 0..=9, 0).ok(), query.number("wait", 0..=9, 3).ok()), (Some(7), Some(3)));
        assert!(query.number("limit", 0..=9, 0).is_err() && query.number("after", 0..=6, 0).is_err());
        assert!(Query::read(Some("a=1"), &["b"]).is_err() && Query::read(Some("a=1&a=2"), &["a"]).is_err());
    }
}
