//! Adds up a run: what was read and what was confirmed.

use std::ops::RangeInclusive;

use tokio::time::Instant;

use crate::bulk::chunk::Chunk;
use crate::bulk::outcome::{End, PublishOutcome, per_second};

/// Adds up chunks, in the order of the source.
#[derive(Debug)]
pub struct Summary {
    begun: Instant,
    read: u64,
    published: u64,
    bad: u64,
    last: u64,
    unconfirmed: Option<u64>,
    beyond: Vec<RangeInclusive<u64>>,
    complete: bool,
    failed: Option<anyhow::Error>,
}

impl Summary {
    /// An empty summary; its clock starts now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            begun: Instant::now(),
            read: 0,
            published: 0,
            bad: 0,
            last: 0,
            unconfirmed: None,
            beyond: Vec::new(),
            complete: false,
            failed: None,
        }
    }

    /// Adds a chunk, confirmed or not.
    pub fn add(&mut self, chunk: &Chunk) {
        self.bad += chunk.bad.len() as u64;
        self.read += (chunk.bad.len() + chunk.posts.len()) as u64;
        self.last = self.last.max(chunk.last);
        self.complete |= matches!(chunk.end, Some(Ok(())));
        for post in &chunk.posts {
            self.published += u64::from(post.confirmed);
            match (post.confirmed, self.unconfirmed) {
                (false, None) => self.unconfirmed = Some(post.line),
                (true, Some(_)) => self.add_beyond(post.line),
                _ => {}
            }
        }
    }

    fn add_beyond(&mut self, line: u64) {
        match self.beyond.last_mut() {
            Some(range) if *range.end() + 1 == line => *range = *range.start()..=line,
            _ => self.beyond.push(line..=line),
        }
    }

    /// Notes a lost chunk, of whose posts nothing is known.
    pub fn lose(&mut self) {
        self.unconfirmed.get_or_insert(self.last + 1);
    }

    /// Notes an error. The first one is reported.
    pub fn fail(&mut self, error: anyhow::Error) {
        self.failed.get_or_insert(error);
    }

    /// Posts confirmed so far.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.published
    }

    /// Posts confirmed a second so far.
    #[must_use]
    pub fn posts_a_second(&self) -> f64 {
        per_second(self.published, self.begun.elapsed())
    }

    /// The outcome of the run.
    #[must_use]
    pub fn conclude(self) -> PublishOutcome {
        let end = match self.failed {
            Some(error) => End::Failed(error),
            None if self.complete && self.unconfirmed.is_none() => End::Complete,
            None => End::Stopped,
        };
        PublishOutcome {
            read: self.read,
            published: self.published,
            bad: self.bad,
            took: self.begun.elapsed(),
            next: self.unconfirmed.unwrap_or(self.last + 1),
            beyond: self.beyond,
            end,
        }
    }
}

impl Default for Summary {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulk::chunk::Sent;
    use sluice_core::post::PostId;

    /// A chunk of these lines; those in `lost` are not confirmed.
    fn chunk(lines: RangeInclusive<u64>, lost: &[u64]) -> Chunk {
        let last = *lines.end();
        let sent = |line| Sent { line, id: PostId::new(), title: None, confirmed: !lost.contains(&line) };
        Chunk { posts: lines.map(sent).collect(), last, ..Chunk::default() }
    }

    fn end() -> Chunk {
        Chunk { end: Some(Ok(())), ..Chunk::default() }
    }

    #[test]
    fn a_source_that_is_used_up_and_confirmed_is_complete() {
        let mut summary = Summary::new();
        summary.add(&chunk(1..=5, &[]));
        summary.add(&end());
        let outcome = summary.conclude();
        assert!(matches!(outcome.end, End::Complete));
        assert_eq!((outcome.read, outcome.published, outcome.next), (5, 5, 6));
    }

    #[test]
    fn one_goes_on_at_the_first_line_that_is_not_confirmed_and_leaves_out_those_that_are() {
        let mut summary = Summary::new();
        summary.add(&chunk(1..=5, &[]));
        summary.add(&chunk(6..=10, &[8, 9]));
        summary.add(&chunk(11..=20, &[15]));
        summary.fail(anyhow::anyhow!("the broker is down"));
        summary.fail(anyhow::anyhow!("and stayed away"));
        let outcome = summary.conclude();
        assert!(matches!(&outcome.end, End::Failed(error) if error.to_string() == "the broker is down"));
        assert_eq!((outcome.read, outcome.published, outcome.next), (20, 17, 8));
        let told = outcome.going_on("posts.ndjson");
        assert!(told.starts_with("lines 1..=7 of posts.ndjson are confirmed"), "{told}");
        assert!(told.ends_with("go on from line 8, without these, which are confirmed too: 10-14, 16-20"), "{told}");
    }

    #[test]
    fn one_goes_on_at_the_beginning_of_a_chunk_of_which_nothing_is_known() {
        let mut summary = Summary::new();
        summary.add(&chunk(1..=5, &[]));
        summary.lose();
        summary.add(&chunk(11..=12, &[]));
        let outcome = summary.conclude();
        assert_eq!((outcome.next, outcome.beyond), (6, vec![11..=12]));
    }

    #[test]
    fn a_source_that_was_not_used_up_was_stopped() {
        let mut summary = Summary::new();
        summary.add(&chunk(1..=5, &[]));
        let outcome = summary.conclude();
        assert!(matches!(outcome.end, End::Stopped));
        assert!(outcome.going_on("f").ends_with("go on from line 6"));
    }

    #[test]
    fn a_used_up_source_with_an_unconfirmed_post_was_stopped_too() {
        let mut summary = Summary::new();
        summary.add(&chunk(1..=5, &[1]));
        summary.add(&end());
        let outcome = summary.conclude();
        assert!(matches!(outcome.end, End::Stopped));
        assert!(outcome.going_on("f").starts_with("no line of f is confirmed"), "{}", outcome.going_on("f"));
    }
}
