//! The lines of a batch, as they arrive: as many at once as are there, within bounds of time and memory.

use std::io;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::Instant;
use tokio_util::bytes::{Bytes, BytesMut};
use tokio_util::codec::Decoder as _;

use crate::http::body::{Incoming, TIMEOUT};
use crate::http::memory::{Held, Memory, Overloaded};
use crate::lines::{Line, Lines};

/// The most lines of a chunk.
const CHUNK: usize = 256;
/// About how many bytes a chunk has.
const CHUNK_BYTES: usize = 1024 * 1024;
/// How fast a batch has to arrive on the average, in bytes a second, or it uses up its patience.
const RATE: f64 = 1024.0;
/// What a batch takes for itself, in bytes: its task and its buffers.
const ITSELF: usize = 16 * 1024;
/// What a byte of a batch costs: as a line that is read, and again as the message that is published.
const COPIES: usize = 2;

/// The lines.
pub struct Intake {
    body: Incoming,
    lines: Lines,
    /// What has arrived and is no whole line yet.
    waiting: BytesMut,
    held: Held,
    /// How much longer the client may keep us waiting.
    patience: Duration,
}

/// Some lines that are next to each other.
pub struct Chunk {
    /// The lines, none of them blank.
    pub lines: Vec<Line>,
    /// No further line comes: the body has ended, or has failed.
    pub end: Option<io::Result<()>>,
}

impl Intake {
    /// The lines of a body, each of at most `longest` bytes.
    ///
    /// # Errors
    /// [`Overloaded`], when there is no room for another batch.
    pub fn new(body: Incoming, longest: usize, memory: &Memory) -> Result<Self, Overloaded> {
        let (lines, mut held) = (Lines::new(longest), memory.hold());
        held.take_now(ITSELF)?;
        Ok(Self { body, lines, waiting: BytesMut::new(), held, patience: TIMEOUT })
    }

    /// The next lines: at least one, unless it is the end.
    pub async fn next(&mut self) -> Chunk {
        let (mut lines, mut heavy) = (Vec::new(), 0);
        loop {
            while lines.len() < CHUNK && heavy < CHUNK_BYTES {
                let Ok(Some(line)) = self.lines.decode(&mut self.waiting) else { break };
                heavy += line.text.as_ref().map_or(0, BytesMut::len);
                lines.push(line);
            }
            self.held.keep(ITSELF + (self.waiting.len() + heavy) * COPIES);
            if lines.len() >= CHUNK || heavy >= CHUNK_BYTES {
                return Chunk { lines, end: None };
            }
            let piece = if lines.is_empty() {
                self.wait().await
            } else {
                // What is there now is not kept waiting for more.
                let Some(piece) = self.body.next().now_or_never() else { return Chunk { lines, end: None } };
                piece
            };
            match piece {
                Some(Ok(piece)) => {
                    if self.held.take(piece.len() * COPIES).await.is_err() {
                        return Chunk { lines, end: Some(Err(io::ErrorKind::OutOfMemory.into())) };
                    }
                    self.waiting.extend_from_slice(&piece);
                }
                Some(Err(error)) => return Chunk { lines, end: Some(Err(error)) },
                None => {
                    // Without a line's end after it, what is left is one line.
                    lines.extend(self.lines.decode_eof(&mut self.waiting).ok().flatten());
                    return Chunk { lines, end: Some(Ok(())) };
                }
            }
        }
    }

    /// The next piece, while there is patience: waiting uses it up, and what arrives gives some of it back.
    async fn wait(&mut self) -> Option<io::Result<Bytes>> {
        let begun = Instant::now();
        let Ok(piece) = tokio::time::timeout(self.patience, self.body.next()).await else {
            return Some(Err(io::ErrorKind::TimedOut.into()));
        };
        let arrived = piece.as_ref().and_then(|piece| piece.as_ref().ok()).map_or(0, |piece| piece.len());
        let earned = Duration::from_secs_f64(arrived as f64 / RATE);
        self.patience = (self.patience.saturating_sub(begun.elapsed()) + earned).min(TIMEOUT);
        piece
    }

    /// How many lines have ended.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.lines.number()
    }

    /// The body, to say what is wrong with it.
    #[must_use]
    pub fn body(&self) -> &Incoming {
        &self.body
    }
}
