//! What comes with the built-in rules besides lists: how texts of many hands look that a moderator must see.
//!
//! ```text
//!  corpus/*.jsonl, ordinary texts ─► n-grams of several texts ─► weights ─► those that tell most ─► rules/suspected.txt
//! ```
//!
//! Lists find what their authors thought of. These weights are learnt from texts of a dozen hands, so they know more ways
//! to say it, and nothing for certain: they hold and never reject.

mod learn;
mod text;

use std::sync::LazyLock;

use sluice_core::verdict::Review;

pub use self::learn::{Draft, drafted};
use super::gauge::{Found, Gauge};
use crate::explain::Finding;

/// The rule and the category of what is found.
const NAME: &str = "suspected";

/// The list that comes with the program, which `ops/suspected` makes.
pub(crate) const TEXT: &str = include_str!("../../../rules/suspected.txt");

static GAUGE: LazyLock<Gauge> = LazyLock::new(|| {
    // Compiled in, and read by a test.
    text::read(TEXT).expect("the list of suspected n-grams is in order, as a test checks")
});

/// What is found in a text that it holds.
pub(crate) fn found(title: &str, content: &str) -> Option<Suspicion> {
    GAUGE.found(title, content).map(Suspicion)
}

/// What was found.
pub(crate) struct Suspicion(Found);

impl Suspicion {
    /// Adds it to the review of the text.
    pub(crate) fn add(self, review: &mut Review) {
        GAUGE.add(review, self.0);
    }
}

/// What is found in a text, for people.
pub(crate) fn findings(title: &str, content: &str) -> Vec<Finding> {
    GAUGE.findings(title, content, None)
}

/// Reads the list now, and not at the first post.
pub(crate) fn ready() {
    LazyLock::force(&GAUGE);
}
