//! Reads a request's body within limits on size, time and memory, and decodes it if it is compressed.
//!
//! A body that is too large is refused at once, but the connection is not closed on a client that is still sending: the
//! reset would overtake the answer, and the client would see a broken connection instead of the 413. So the rest of the
//! body is read and discarded, for a while.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_compression::tokio::bufread::GzipDecoder;
use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::{HeaderMap, header};
use futures_util::{Stream, StreamExt as _};
use sluice_runtime::health::Problem;
use tokio_util::io::{ReaderStream, StreamReader};

use crate::http::gathered::Gathered;
use crate::http::problem;
use crate::memory::{Held, Memory, Overloaded};

/// The longest wait for a whole body, and for the next line of a batch.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// How many bytes of a refused body are discarded before the connection is closed.
const DISCARDED: usize = 64 * 1024 * 1024;
/// For how long they are discarded.
const DISCARDING: Duration = Duration::from_secs(10);
/// The memory of a decoder, in bytes: its window, its tables and its buffers.
const DECODER: usize = 64 * 1024;
/// How much is decoded at once, in bytes.
const DECODED_AT_ONCE: usize = 16 * 1024;

/// A single post's body, of at most `limit` bytes, and the memory it takes.
///
/// # Errors
/// 413 when it is longer, 408 when it does not arrive in time, 400 when it breaks off, 415 when it is encoded in a way
/// that is not supported, 503 when there is no memory for it.
pub async fn read(headers: &HeaderMap, body: Body, limit: usize, memory: &Memory) -> Result<(Vec<u8>, Held), Problem> {
    let mut incoming = Incoming::open(headers, body, limit, "the body", memory)?;
    let gathered = async {
        let (mut gathered, mut held) = (Gathered::default(), memory.hold());
        while let Some(piece) = incoming.next().await {
            let piece = piece.map_err(|error| incoming.problem(&error))?;
            held.take_for_post(piece.len())?;
            gathered.add(&piece);
        }
        Ok((gathered.whole(), held))
    };
    tokio::time::timeout(TIMEOUT, gathered).await.unwrap_or_else(|_| Err(problem::too_slow(TIMEOUT)))
}

/// Discards the body of a request that is refused before it is read.
pub fn discard(headers: &HeaderMap, body: Body) {
    // A client that asks before sending (`Expect: 100-continue`) sends nothing after this answer.
    if !headers.contains_key(header::EXPECT) {
        drop(Wire { body: Some(body.into_data_stream()), limit: 0, read: 0 });
    }
}

/// A body as it arrives: decoded, and no longer than the limit. When it is dropped before its end, the rest is
/// discarded.
pub struct Incoming {
    bytes: Decoded,
    limit: usize,
    read: usize,
    /// Its name in problems.
    what: &'static str,
}

enum Decoded {
    Plain(Wire),
    Gzip(Box<ReaderStream<GzipDecoder<StreamReader<Wire, Bytes>>>>, #[expect(dead_code, reason = "held")] Held),
}

impl Incoming {
    /// Begins to read a body, unless its declared length is over the limit.
    ///
    /// # Errors
    /// 413; 415 when it is encoded in a way that is not supported; 503 when there is no memory for a decoder.
    pub fn open(
        headers: &HeaderMap,
        body: Body,
        limit: usize,
        what: &'static str,
        memory: &Memory,
    ) -> Result<Self, Problem> {
        let announced =
            headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let refused = match encoding(headers) {
            Err(problem) => Some(problem),
            Ok(_) if announced.is_some_and(|length| length > limit as u64) => {
                Some(problem::too_large(format!("{what} is longer than {limit} bytes")))
            }
            Ok(_) => None,
        };
        if let Some(problem) = refused {
            discard(headers, body);
            return Err(problem);
        }
        let wire = Wire { body: Some(body.into_data_stream()), limit, read: 0 };
        let bytes = match encoding(headers)? {
            Encoding::Plain => Decoded::Plain(wire),
            Encoding::Gzip => {
                let mut held = memory.hold();
                held.take_now(DECODER)?;
                let mut decoder = GzipDecoder::new(StreamReader::new(wire));
                decoder.multiple_members(true);
                Decoded::Gzip(Box::new(ReaderStream::with_capacity(decoder, DECODED_AT_ONCE)), held)
            }
        };
        Ok(Self { bytes, limit, read: 0, what })
    }

    /// The problem for the client, for an error that this stream has ended with.
    #[must_use]
    pub fn problem(&self, error: &io::Error) -> Problem {
        match (error.kind(), &self.bytes) {
            (io::ErrorKind::FileTooLarge, _) => {
                problem::too_large(format!("{} is longer than {} bytes", self.what, self.limit))
            }
            (io::ErrorKind::TimedOut, _) => problem::too_slow(TIMEOUT),
            (io::ErrorKind::OutOfMemory, _) => Overloaded.into(),
            (BROKEN_OFF, _) | (_, Decoded::Plain(_)) => problem::broken_off(),
            (_, Decoded::Gzip(..)) => problem::not_gzip(),
        }
    }
}

impl Stream for Incoming {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let piece = match &mut this.bytes {
            Decoded::Plain(wire) => ready!(wire.poll_next_unpin(cx)),
            Decoded::Gzip(decoded, _) => ready!(decoded.poll_next_unpin(cx)),
        };
        let Some(Ok(piece)) = piece else { return Poll::Ready(piece) };
        this.read += piece.len();
        Poll::Ready(Some(if this.read > this.limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(piece) }))
    }
}

#[derive(Clone, Copy)]
enum Encoding {
    Plain,
    Gzip,
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Problem> {
    let mut given = headers.get_all(header::CONTENT_ENCODING).into_iter();
    let (first, more) = (given.next(), given.next());
    let Some(first) = first else { return Ok(Encoding::Plain) };
    let name = String::from_utf8_lossy(first.as_bytes()).trim().to_ascii_lowercase();
    match (name.as_str(), more) {
        ("gzip" | "x-gzip", None) => Ok(Encoding::Gzip),
        ("" | "identity", None) => Ok(Encoding::Plain),
        (_, None) => Err(problem::wrong_encoding(&name)),
        (_, Some(_)) => Err(problem::wrong_encoding("given twice")),
    }
}

/// The kind of a connection's own error.
const BROKEN_OFF: io::ErrorKind = io::ErrorKind::BrokenPipe;

/// A body as it is sent, no longer than the limit.
struct Wire {
    body: Option<BodyDataStream>,
    limit: usize,
    read: usize,
}

impl Stream for Wire {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        Poll::Ready(match ready!(body.poll_next_unpin(cx)) {
            None => {
                this.body = None;
                None
            }
            Some(Err(_)) => {
                this.body = None;
                Some(Err(BROKEN_OFF.into()))
            }
            Some(Ok(piece)) => {
                this.read += piece.len();
                Some(if this.read > this.limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(piece) })
            }
        })
    }
}

impl Drop for Wire {
    /// Discards the rest of the body, while the answer is sent.
    fn drop(&mut self) {
        let Some(mut body) = self.body.take() else { return };
        tokio::spawn(tokio::time::timeout(DISCARDING, async move {
            let mut discarded = 0;
            while let Some(Ok(piece)) = body.next().await {
                discarded += piece.len();
                if discarded > DISCARDED {
                    break;
                }
            }
        }));
    }
}
