//! Splits a stream of bytes into NDJSON lines in bounded memory: a line that is too long is skipped up to its end,
//! never buffered.

use std::io;

use futures_util::{FutureExt as _, Stream, StreamExt as _};
use sluice_core::json;
use tokio_util::bytes::BytesMut;
use tokio_util::codec::Decoder;

/// The longest line by default, in bytes; the same as the longest body of a single post.
pub const LINE_MAX: usize = 1024 * 1024;

/// One line that is not blank.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1. Blank lines are counted too, as editors do.
    pub number: u64,
    /// How many bytes had been read when it ended: where a progress bar stands.
    pub end: u64,
    /// Its text, or the error that it was too long.
    pub text: Result<BytesMut, TooLong>,
}

/// A line that was skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("longer than {limit} bytes")]
pub struct TooLong {
    /// The limit, in bytes.
    pub limit: usize,
}

/// Cuts lines.
#[derive(Debug)]
pub struct Lines {
    limit: usize,
    number: u64,
    read: u64,
    /// How much of the buffer was already searched for the end of a line.
    searched: usize,
    /// Inside a line that is too long.
    skipping: bool,
}

impl Lines {
    /// Cuts lines of at most so many bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, number: 0, read: 0, searched: 0, skipping: false }
    }

    /// How many lines have ended.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// A whole line, without its end. `None`: it is blank.
    fn ended(&mut self, text: BytesMut) -> Option<Line> {
        self.number += 1;
        self.searched = 0;
        if std::mem::take(&mut self.skipping) || text.len() > self.limit {
            return Some(self.line(Err(TooLong { limit: self.limit })));
        }
        if json::without_mark(&text).iter().all(u8::is_ascii_whitespace) { None } else { Some(self.line(Ok(text))) }
    }

    fn line(&self, text: Result<BytesMut, TooLong>) -> Line {
        Line { number: self.number, end: self.read, text }
    }
}

impl Decoder for Lines {
    type Item = Line;
    type Error = io::Error;

    fn decode(&mut self, waiting: &mut BytesMut) -> io::Result<Option<Line>> {
        while let Some(at) = waiting[self.searched..].iter().position(|&byte| byte == b'\n') {
            let mut text = waiting.split_to(self.searched + at + 1);
            self.read += text.len() as u64;
            text.truncate(text.len() - 1);
            if let Some(line) = self.ended(text) {
                return Ok(Some(line));
            }
        }
        if self.skipping || waiting.len() > self.limit {
            self.skipping = true;
            self.read += waiting.len() as u64;
            waiting.clear();
        }
        self.searched = waiting.len();
        Ok(None)
    }

    fn decode_eof(&mut self, waiting: &mut BytesMut) -> io::Result<Option<Line>> {
        if let Some(line) = self.decode(waiting)? {
            return Ok(Some(line));
        }
        if waiting.is_empty() && !self.skipping {
            return Ok(None);
        }
        let text = waiting.split();
        self.read += text.len() as u64;
        Ok(self.ended(text))
    }
}

/// What is available now, without waiting for more: at least one item unless the stream has ended, and at most `most`
/// items or about `heaviest` bytes.
///
/// So a slow client's line is handled immediately, and a fast client's lines many at a time, without a timer.
pub async fn gather<S: Stream + Unpin>(
    from: &mut S,
    most: usize,
    heaviest: usize,
    weight: impl Fn(&S::Item) -> usize,
) -> Vec<S::Item> {
    let mut gathered = Vec::new();
    let mut heavy = 0;
    let mut next = from.next().await;
    while let Some(item) = next {
        heavy += weight(&item);
        gathered.push(item);
        if gathered.len() >= most || heavy >= heaviest {
            break;
        }
        next = from.next().now_or_never().flatten();
    }
    gathered
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    /// What comes out when the bytes arrive in pieces of this size.
    fn cut(bytes: &[u8], limit: usize, piece: usize) -> Vec<(u64, Result<Vec<u8>, TooLong>)> {
        let (mut lines, mut waiting, mut found) = (Lines::new(limit), BytesMut::new(), Vec::new());
        let mut keep = |line: Line| found.push((line.number, line.text.map(|text| text.to_vec())));
        for piece in bytes.chunks(piece) {
            waiting.extend_from_slice(piece);
            while let Some(line) = lines.decode(&mut waiting).expect("cutting cannot fail") {
                keep(line);
            }
        }
        while let Some(line) = lines.decode_eof(&mut waiting).expect("cutting cannot fail") {
            keep(line);
        }
        assert_eq!(lines.read, bytes.len() as u64);
        found
    }

    #[test]
    fn however_the_bytes_arrive_the_lines_are_the_same() {
        let text = b"\xef\xbb\xbfone\n\n  \t\r\nfour\r\nfar too long for this\nsix\nseven, too long as well";
        let long = Err(TooLong { limit: 8 });
        let expected = vec![
            (1, Ok(b"\xef\xbb\xbfone".to_vec())),
            (4, Ok(b"four\r".to_vec())),
            (5, long.clone()),
            (6, Ok(b"six".to_vec())),
            (7, long),
        ];
        for piece in 1..=text.len() {
            assert_eq!(cut(text, 8, piece), expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_kept_with_and_without_its_end() {
        for text in [&b"12345678\n"[..], b"12345678"] {
            for piece in 1..=9 {
                assert_eq!(cut(text, 8, piece), [(1, Ok(b"12345678".to_vec()))]);
            }
        }
    }

    #[test]
    fn nothing_comes_out_of_nothing() {
        assert!(cut(b"", 8, 1).is_empty());
        assert!(cut(b"\n\n", 8, 1).is_empty());
        assert!(cut(b"\xef\xbb\xbf\n", 8, 1).is_empty());
    }

    #[test]
    fn a_long_line_is_never_gathered() {
        let (mut lines, mut waiting) = (Lines::new(8), BytesMut::new());
        for _ in 0..1000 {
            waiting.extend_from_slice(&[b'x'; 64]);
            assert_eq!(lines.decode(&mut waiting).expect("cutting cannot fail"), None);
            assert!(waiting.is_empty());
        }
    }

    #[tokio::test]
    async fn what_is_there_is_gathered_up_to_its_bounds() {
        let mut numbers = stream::iter(1..=10);
        assert_eq!(gather(&mut numbers, 4, 100, |_| 1).await, [1, 2, 3, 4]);
        assert_eq!(gather(&mut numbers, 4, 10, |_| 5).await, [5, 6]);
        assert_eq!(gather(&mut numbers, 100, 1000, |_| 1).await, [7, 8, 9, 10]);
        assert!(gather(&mut numbers, 100, 1000, |_| 1).await.is_empty());
    }

    #[tokio::test]
    async fn a_lone_item_waits_for_no_other() {
        let mut one_then_silence = stream::iter([1]).chain(stream::pending());
        assert_eq!(gather(&mut one_then_silence, 4, 100, |_| 1).await, [1]);
    }
}
