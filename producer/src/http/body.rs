//! Reads a request's body within limits on size, time and memory, and decodes it if it is compressed.
//!
//! A body that is too large is refused immediately, but without closing the connection while the client is still
//! sending: the reset would overtake the response, and the client would see a broken connection instead of a 413. So
//! what such a client still sends is read and discarded, for a while.

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

use crate::http::memory::{Held, Memory, Overloaded};
use crate::http::problem;

/// The longest wait for a whole body, and for the next line of a batch.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// How much of a refused body is discarded before the connection is closed, in bytes.
const POURED_AWAY: usize = 64 * 1024 * 1024;
/// How long it is discarded.
const POURING: Duration = Duration::from_secs(10);
/// The memory of a decoder, in bytes: its window, its tables and its buffers.
const DECODER: usize = 64 * 1024;
/// The size of the blocks in which a body is buffered, in bytes.
const BLOCK: usize = 16 * 1024;
/// How much is decoded at once, in bytes.
const DECODED_AT_ONCE: usize = 16 * 1024;

/// A single post's body, of at most `limit` bytes, and the memory reserved for it.
///
/// # Errors
/// 413 when it is longer, 408 when it does not arrive in time, 400 when it is truncated, 415 when its encoding is not
/// supported, 503 when there is no memory for it.
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

/// An incomplete body, in blocks of one size. If it were a single growing buffer, it would be copied repeatedly, and
/// the allocator would keep the freed buffers: with 400 bodies at once, up to as much memory again.
#[derive(Default)]
struct Gathered(Vec<Vec<u8>>);

impl Gathered {
    fn add(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let room = self.0.last().map_or(0, |block| BLOCK - block.len());
            let (now, later) = piece.split_at(room.min(piece.len()));
            match self.0.last_mut() {
                Some(block) if room > 0 => {
                    block.reserve_exact(room);
                    block.extend_from_slice(now);
                }
                // Most bodies are one piece.
                None if piece.len() <= BLOCK => return self.0.push(piece.to_vec()),
                _ => self.0.push(Vec::with_capacity(BLOCK)),
            }
            piece = later;
        }
    }

    /// The whole body in one buffer. There are only as many of these at a time as threads, because each is parsed
    /// immediately.
    fn whole(mut self) -> Vec<u8> {
        if self.0.len() == 1 { self.0.swap_remove(0) } else { self.0.concat() }
    }
}

/// A body as it arrives: decoded, and limited in length. If it is dropped, the rest is discarded.
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
    /// 413; 415 when its encoding is not supported; 503 when there is no memory for a decoder.
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
        let mut wire = Wire { body: Some(body.into_data_stream()), limit, read: 0 };
        if let Some(problem) = refused {
            // A client that sends `Expect: 100-continue` has not sent anything yet, and will not after this response.
            if headers.contains_key(header::EXPECT) {
                wire.body = None;
            }
            return Err(problem);
        }
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

    /// The response for an error that this stream has ended with.
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

/// How a body is encoded.
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

/// The raw body, limited in length. If it is dropped before its end, the rest is discarded.
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
    /// Reads the rest of a body and discards it, while the response is sent.
    fn drop(&mut self) {
        let Some(mut body) = self.body.take() else { return };
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gathered_is_what_came_whatever_the_pieces() {
        let body: Vec<u8> = (0..5 * BLOCK + 7).map(|at| (at % 251) as u8).collect();
        for size in [1, 7, 1000, BLOCK - 1, BLOCK, BLOCK + 1, body.len()] {
            let mut gathered = Gathered::default();
            body.chunks(size).for_each(|piece| gathered.add(piece));
            assert!(gathered.0.iter().all(|block| block.capacity() <= BLOCK), "pieces of {size}");
            assert!(gathered.whole() == body, "pieces of {size}");
        }
        assert!(Gathered::default().whole().is_empty());
    }
}
