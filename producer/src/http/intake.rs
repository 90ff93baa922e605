//! The lines of a batch, as they arrive: as many at once as are available, within limits on time and memory.

use std::io;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::Instant;
use tokio_util::bytes::{Bytes, BytesMut};
use tokio_util::codec::Decoder as _;

use crate::http::body::{Incoming, TIMEOUT};
use crate::lines::{Line, Lines};
use crate::memory::{Held, Memory, Overloaded};

/// The most lines of a chunk.
const CHUNK: usize = 256;
/// About how many bytes a chunk has.
const CHUNK_BYTES: usize = 1024 * 1024;
/// How fast a batch must arrive on average, in bytes a second, before its patience is used up.
const RATE: f64 = 1024.0;
/// The memory of a batch itself, in bytes: its task and its buffers.
const ITSELF: usize = 16 * 1024;
/// The memory for each byte of a batch: once as a line, and again as the published message.
const COPIES: usize = 2;

/// The lines.
pub struct Intake {
    body: Incoming,
    lines: Lines,
    /// Data that is not a complete line yet.
    waiting: BytesMut,
    held: Held,
    /// How much longer the client may keep us waiting.
    patience: Duration,
}

/// Some lines that are next to each other.
pub struct Chunk {
    /// The lines, none of them blank.
    pub lines: Vec<Line>,
    /// There are no further lines: the body has ended, or has failed.
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
                // Available lines do not wait for more.
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
                    // Without a final line break, the rest is one line.
                    lines.extend(self.lines.decode_eof(&mut self.waiting).ok().flatten());
                    return Chunk { lines, end: Some(Ok(())) };
                }
            }
        }
    }

    /// The next piece, while there is patience: waiting uses it up, and arriving data restores some of it.
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

    /// The body, for error messages.
    #[must_use]
    pub fn body(&self) -> &Incoming {
        &self.body
    }
}
