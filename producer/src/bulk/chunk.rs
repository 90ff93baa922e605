//! Some posts of a source that are published together, and what is known about each: the unit that is published,
//! retried and accounted for.

use std::io;

use sluice_core::post::{Post, PostId};
use sluice_rabbit::publisher::{Envelope, PublishError};
use sluice_rabbit::topology::Topology;

use crate::bulk::entry::{Bundle, Entry};

/// Adjacent posts of the source.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The posts.
    pub posts: Vec<Sent>,
    /// Those that are not confirmed yet, by their place in `posts`, as messages.
    pub waiting: Vec<(usize, Envelope)>,
    /// The lines that are not posts: number and reason.
    pub bad: Vec<(u64, String)>,
    /// Its last line.
    pub last: u64,
    /// Where a progress bar stands once it has arrived.
    pub mark: u64,
    /// The source ended after it.
    pub end: Option<io::Result<()>>,
    /// Why posts of it were not confirmed.
    pub error: Option<PublishError>,
}

/// A post to be published.
#[derive(Debug)]
pub struct Sent {
    /// Its line.
    pub line: u64,
    /// Its id.
    pub id: PostId,
    /// Its title, if it is to be printed.
    pub title: Option<String>,
    /// Whether the broker has it.
    pub confirmed: bool,
}

impl Chunk {
    /// Makes a chunk. `titles`: whether to keep them for printing.
    #[must_use]
    pub fn pack(bundle: Bundle, topology: &Topology, titles: bool) -> Self {
        let mut chunk = Self { end: bundle.end, ..Self::default() };
        for Entry { line, mark, post } in bundle.entries {
            match post {
                Ok(post) => chunk.add(line, post, topology, titles),
                Err(reason) => chunk.bad.push((line, reason)),
            }
            (chunk.last, chunk.mark) = (line, mark);
        }
        chunk
    }

    fn add(&mut self, line: u64, post: Post, topology: &Topology, titles: bool) {
        self.waiting.push((self.posts.len(), Envelope::post(topology, &post)));
        self.posts.push(Sent { line, id: post.id, title: titles.then_some(post.title), confirmed: false });
    }
}
