//! How many of the accepted ids are in which place. An id's places are the bits of one byte.

/// In MySQL.
pub(super) const RECORDED: u8 = 1;
/// Among the dead letters.
pub(super) const DEAD: u8 = 2;
/// Dropped by an operator.
pub(super) const DROPPED: u8 = 4;
/// Another post with the id of a recorded one is among the dead letters.
pub(super) const CONFLICT: u8 = 8;
/// Deleted by `sluice prune`.
pub(super) const PRUNED: u8 = 16;
/// A dead letter has the id, but is not the accepted post: this does not count as a place.
pub(super) const CLAIMED: u8 = 128;

/// Without the bits that are not places.
pub(super) fn places(seen: u8) -> u8 {
    seen & !CLAIMED
}

/// How many accepted ids are where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    /// Rows in MySQL.
    pub(super) recorded: u64,
    /// Dead letters.
    pub(super) dead: u64,
    /// Dropped by an operator, and nowhere else.
    pub(super) dropped: u64,
    /// Stored once, deleted by `sluice prune`, and nowhere else.
    pub(super) pruned: u64,
    /// Found nowhere, and not more than wait in the queue.
    pub(super) queued: u64,
    /// Found nowhere, beyond those.
    pub(super) missing: u64,
    /// Recorded and dead at the same time; such an id counts in both.
    pub(super) duplicate: u64,
    /// Recorded, and another post with the same id is dead; such an id counts as recorded.
    pub(super) id_conflict: u64,
    /// Found nowhere, but a dead letter that is not the accepted post has the id.
    pub(super) claimed: u64,
    /// Consumers of the queue: with none, nothing is in flight.
    pub(super) consumers: u32,
}

impl Tally {
    /// Counts ids by where they were seen, given how many posts waited in the queue before the other places were asked.
    pub(super) fn of(seen: impl Iterator<Item = u8> + Clone, ready: u32, consumers: u32) -> Self {
        let count = |wanted: fn(u8) -> bool| seen.clone().filter(|seen| wanted(*seen)).count() as u64;
        let nowhere = count(|seen| places(seen) == 0);
        let queued = nowhere.min(ready.into());
        Self {
            recorded: count(|seen| seen & RECORDED != 0),
            dead: count(|seen| seen & DEAD != 0),
            dropped: count(|seen| places(seen) == DROPPED),
            pruned: count(|seen| places(seen) & !DROPPED == PRUNED),
            queued,
            missing: nowhere - queued,
            duplicate: count(|seen| seen & (RECORDED | DEAD) == RECORDED | DEAD),
            id_conflict: count(|seen| seen & CONFLICT != 0),
            claimed: count(|seen| seen == CLAIMED),
            consumers,
        }
    }

    /// How many were found nowhere.
    #[must_use]
    pub(super) fn unsettled(&self) -> u64 {
        self.queued + self.missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tally(seen: &[u8], ready: u32) -> Tally {
        Tally::of(seen.iter().copied(), ready, 0)
    }

    #[test]
    fn what_is_nowhere_is_queued_as_far_as_the_queue_is_long_and_missing_beyond() {
        for (ready, queued, missing) in [(7, 5, 0), (3, 3, 2), (0, 0, 5)] {
            let tally = tally(&[0; 5], ready);
            assert_eq!((tally.queued, tally.missing), (queued, missing));
        }
    }

    #[test]
    fn dropped_counts_only_where_the_post_is_nowhere_else() {
        let tally = tally(&[DROPPED | RECORDED, DROPPED | DEAD, DROPPED], 0);
        assert_eq!((tally.recorded, tally.dead, tally.dropped, tally.duplicate), (1, 1, 1, 0));
    }

    proptest! {
        #[test]
        fn every_accepted_id_is_counted(seen in proptest::collection::vec(0u8..8, 0..50), ready in 0u32..60) {
            let tally = tally(&seen, ready);
            let Tally { recorded, dead, dropped, queued, missing, duplicate, .. } = tally;
            prop_assert_eq!(recorded + dead + dropped + queued + missing - duplicate, seen.len() as u64);
            prop_assert_eq!(seen.iter().filter(|seen| **seen == 0).count() as u64, tally.unsettled());
        }
    }
}
