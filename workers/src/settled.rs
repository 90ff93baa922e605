//! How many posts left the queue through this process since it was started: the two counters from which `sluice status`
//! computes the rate of each worker. The metrics count the same, but are served only if a port is set.

use std::sync::atomic::{AtomicU64, Ordering};

use sluice_rabbit::delivery::Settlement;

/// Counters that only grow.
#[derive(Debug, Default)]
pub struct Settled {
    stored: AtomicU64,
    dead_lettered: AtomicU64,
}

impl Settled {
    /// Counts a settlement. A released post has not left the queue, so it does not count.
    pub fn count(&self, settlement: &Settlement) {
        let counter = match settlement {
            Settlement::Ack => &self.stored,
            Settlement::DeadLetter(_) => &self.dead_lettered,
            Settlement::Release | Settlement::Republish => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Posts that were found in MySQL and acknowledged.
    #[must_use]
    pub fn stored(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    /// Posts that were dead-lettered.
    #[must_use]
    pub fn dead_lettered(&self) -> u64 {
        self.dead_lettered.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_released_post_has_not_left_the_queue() {
        let settled = Settled::default();
        for settlement in [Settlement::Ack, Settlement::Release, Settlement::Ack, Settlement::Republish] {
            settled.count(&settlement);
        }
        assert_eq!((settled.stored(), settled.dead_lettered()), (2, 0));
    }
}
