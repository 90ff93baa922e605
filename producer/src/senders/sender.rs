//! One sender, and what it may use.

use std::sync::Arc;

use metrics::Counter;
use sluice_core::name::SenderName;
use sluice_runtime::token::TokenHash;
use tokio::sync::Semaphore;

use super::Senders;
use super::file::Entry;
use super::rate::Bucket;
use crate::memory::Memory;

/// Of all connections, the part whose requests one sender may have in progress.
const SHARE: usize = 2;

const POSTS: &str = "sluice_sender_posts_total";

/// A program that may send posts.
pub(super) struct Sender {
    name: SenderName,
    token: TokenHash,
    /// None: it has no rate.
    pub(super) bucket: Option<Arc<Bucket>>,
    /// The requests that it may have in progress.
    pub(super) slots: Arc<Semaphore>,
    /// The bytes that it may have in flight.
    pub(super) memory: Memory,
    pub(super) accepted: Counter,
    pub(super) limited: Counter,
}

impl Sender {
    /// What an entry of the file says. What a sender of this name has used up already stays used up, whatever else was
    /// changed in the file.
    pub(super) fn new(entry: Entry, before: Option<&Senders>, connections: usize, memory: &Memory) -> Self {
        metrics::describe_counter!(POSTS, "Posts by sender: accepted, or refused because the sender was too fast");
        let Entry { name, token, rate } = entry;
        let before = before.and_then(|before| before.named(name.as_str()));
        let bucket = rate.map(|rate| {
            let kept = before.and_then(|before| before.bucket.clone()).filter(|bucket| bucket.rate == rate);
            kept.unwrap_or_else(|| Arc::new(Bucket::new(rate)))
        });
        let counter = |result: &'static str| metrics::counter!(POSTS, "sender" => name.to_string(), "result" => result);
        Self {
            bucket,
            slots: before.map_or_else(|| Arc::new(Semaphore::new(slots(connections))), |before| before.slots.clone()),
            memory: before.map_or_else(|| memory.of_one_sender(), |before| before.memory.clone()),
            accepted: counter("accepted"),
            limited: counter("limited"),
            name,
            token,
        }
    }

    pub(super) fn name(&self) -> &SenderName {
        &self.name
    }

    /// Whether this is the hash of its token.
    pub(super) fn has(&self, token: &TokenHash) -> bool {
        self.token.is(token)
    }
}

fn slots(connections: usize) -> usize {
    (connections / SHARE).clamp(1, Semaphore::MAX_PERMITS)
}
