//! The items of a source of posts: an entry for each line, in bundles.

use std::io;

use sluice_core::post::Post;

/// One post of a source, or why there is none.
#[derive(Debug)]
pub struct Entry {
    /// Its line, from 1.
    pub line: u64,
    /// Where a progress bar stands after it.
    pub mark: u64,
    /// The post, or what is wrong with the line.
    pub post: Result<Post, String>,
}

/// Entries that go together, and whether the source has ended after them.
#[derive(Debug, Default)]
pub struct Bundle {
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// The source has ended, or cannot be read further.
    pub end: Option<io::Result<()>>,
}
