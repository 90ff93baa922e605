//! Reading a request's body within bounds of size and time.
//!
//! A body that is too large is refused at once, but not by hanging up on a client that is still sending: the reset
//! would overtake the answer, and the client would see a broken connection where we said 413. So what such a client
//! still sends is taken and thrown away, for a while.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, header};
use common::vitals::Problem;
use futures_util::StreamExt as _;

use crate::problem;

/// The longest wait for a whole body, and for the next piece of a batch.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// How much of a body that was refused is thrown away before the connection is closed on it, in bytes.
const POURED_AWAY: usize = 64 * 1024 * 1024;
/// How long it is thrown away.
const POURING: Duration = Duration::from_secs(10);

/// A body of at most `limit` bytes.
///
/// # Errors
/// 413 when it is longer, 408 when it does not arrive in time, 400 when it breaks off.
pub async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let body = open(headers, body, limit, "the body")?;
    tokio::time::timeout(TIMEOUT, gather(body, limit)).await.unwrap_or_else(|_| Err(problem::too_slow(TIMEOUT)))
}

/// The body as a stream, unless its announced length is over the limit already.
///
/// # Errors
/// 413.
pub fn open(headers: &HeaderMap, body: Body, limit: usize, what: &str) -> Result<BodyDataStream, Problem> {
    let body = body.into_data_stream();
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_none_or(|length| length <= limit as u64) {
        return Ok(body);
    }
    // Who asks before sending (`Expect: 100-continue`) has not sent anything, and will not after this answer.
    if !headers.contains_key(header::EXPECT) {
        pour_away(body);
    }
    Err(problem::too_large(format!("{what} is longer than {limit} bytes")))
}

async fn gather(mut body: BodyDataStream, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut gathered = Vec::new();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|_| problem::broken_off())?;
        if gathered.len() + piece.len() > limit {
            pour_away(body);
            return Err(problem::too_large(format!("the body is longer than {limit} bytes")));
        }
        gathered.extend_from_slice(&piece);
    }
    Ok(gathered)
}

/// Takes the rest of a body and throws it away, while the answer is on its way.
pub fn pour_away(mut body: BodyDataStream) {
    tokio::spawn(tokio::time::timeout(POURING, async move {
        let mut poured = 0;
        while let Some(Ok(piece)) = body.next().await {
            poured += piece.len();
            if poured > POURED_AWAY {
                break;
            }
        }
    }));
}
