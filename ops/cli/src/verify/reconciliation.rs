//! Where each accepted id was seen. Pure; one byte an id besides the id itself, so a million of them are at home in
//! memory.

use std::collections::{HashMap, HashSet};

use sluice_core::post::PostId;

/// How many ids are named in a report.
pub(super) const NAMED: usize = 100;

/// The places that can be asked for an id, as bits.
const RECORDED: u8 = 1;
const DEAD: u8 = 2;
const DROPPED: u8 = 4;
/// Another post with the id of a recorded one is among the dead letters.
const CONFLICT: u8 = 8;
/// A dead letter names the id, and is not what was accepted under it: no place.
const CLAIMED: u8 = 128;

/// Without what is no place.
fn places(seen: u8) -> u8 {
    seen & !CLAIMED
}

/// All accepted ids and where they were seen.
pub(super) struct Reconciliation {
    seen: HashMap<PostId, u8>,
}

/// One round's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    /// Rows in MySQL.
    pub(super) recorded: u64,
    /// Dead letters.
    pub(super) dead: u64,
    /// Dropped by an operator, and nowhere else.
    pub(super) dropped: u64,
    /// Found nowhere, and not more than wait in the queue.
    pub(super) queued: u64,
    /// Found nowhere, beyond those.
    pub(super) missing: u64,
    /// Recorded and dead at the same time; such an id counts in both.
    pub(super) duplicate: u64,
    /// Recorded, and another post with the same id is dead; such an id counts as recorded.
    pub(super) id_conflict: u64,
    /// Found nowhere, and named by a dead letter that does not hold what was accepted.
    pub(super) claimed: u64,
    /// Consumers of the queue: with none, nothing is in flight.
    pub(super) consumers: u32,
}

impl Tally {
    /// How many were found nowhere.
    #[must_use]
    pub(super) fn unsettled(&self) -> u64 {
        self.queued + self.missing
    }
}

impl Reconciliation {
    /// Nothing seen yet.
    #[must_use]
    pub(super) fn new(ids: HashSet<PostId>) -> Self {
        Self { seen: ids.into_iter().map(|id| (id, 0)).collect() }
    }

    /// How many ids there are.
    #[must_use]
    pub(super) fn accepted(&self) -> u64 {
        self.seen.len() as u64
    }

    /// Those that are not recorded. A row never goes away, so the others need not be asked for again.
    #[must_use]
    pub(super) fn unrecorded(&self) -> Vec<PostId> {
        self.ids(|places| places & RECORDED == 0)
    }

    /// Those that were seen nowhere. Only these are asked for among the dropped: what was dropped and is somewhere all
    /// the same (a second copy, or submitted again) counts there.
    #[must_use]
    pub(super) fn nowhere(&self) -> Vec<PostId> {
        self.ids(|places| places & (RECORDED | DEAD) == 0)
    }

    /// In no place, dropped ones aside.
    #[must_use]
    pub(super) fn missing(&self) -> Vec<PostId> {
        self.ids(|seen| places(seen) == 0)
    }

    /// In no place, and a dead letter says otherwise.
    #[must_use]
    pub(super) fn claimed(&self) -> Vec<PostId> {
        self.ids(|seen| seen == CLAIMED)
    }

    /// Recorded and dead.
    #[must_use]
    pub(super) fn duplicates(&self) -> Vec<PostId> {
        self.ids(|places| places & (RECORDED | DEAD) == RECORDED | DEAD)
    }

    /// Recorded, with another post of the same id among the dead letters.
    #[must_use]
    pub(super) fn conflicts(&self) -> Vec<PostId> {
        self.ids(|places| places & CONFLICT != 0)
    }

    /// Those that have rows.
    #[must_use]
    pub(super) fn recorded_ids(&self) -> Vec<PostId> {
        self.ids(|places| places & RECORDED != 0)
    }

    /// Whether this is an accepted id that has a row.
    #[must_use]
    pub(super) fn is_recorded(&self, id: &PostId) -> bool {
        self.seen.get(id).is_some_and(|places| places & RECORDED != 0)
    }

    /// In the order of the ids, which is that of time for those the producer made.
    fn ids(&self, wanted: impl Fn(u8) -> bool) -> Vec<PostId> {
        self.seen.iter().filter(|(_, places)| wanted(**places)).map(|(id, _)| *id).collect()
    }

    /// Dead letters go away when they are replayed: each look begins anew.
    pub(super) fn forget_dead(&mut self) {
        self.seen.values_mut().for_each(|places| *places &= RECORDED);
    }

    /// These have rows.
    pub(super) fn recorded(&mut self, ids: impl IntoIterator<Item = PostId>) {
        self.mark(ids, RECORDED);
    }

    /// These are among the dead letters. Ids of others are skipped, here and below.
    pub(super) fn dead(&mut self, ids: impl IntoIterator<Item = PostId>) {
        self.mark(ids, DEAD);
    }

    /// Other posts that are dead have these ids.
    pub(super) fn conflicting(&mut self, ids: impl IntoIterator<Item = PostId>) {
        self.mark(ids, CONFLICT);
    }

    /// These are named by dead letters that do not hold what was accepted under the id.
    pub(super) fn claim(&mut self, ids: impl IntoIterator<Item = PostId>) {
        self.mark(ids, CLAIMED);
    }

    /// These were dropped.
    pub(super) fn dropped(&mut self, ids: impl IntoIterator<Item = PostId>) {
        self.mark(ids, DROPPED);
    }

    fn mark(&mut self, ids: impl IntoIterator<Item = PostId>, place: u8) {
        for id in ids {
            if let Some(places) = self.seen.get_mut(&id) {
                *places |= place;
            }
        }
    }

    /// Counts, given how many posts waited in the queue before the other places were asked.
    #[must_use]
    pub(super) fn tally(&self, ready: u32, consumers: u32) -> Tally {
        let count = |wanted: fn(u8) -> bool| self.seen.values().filter(|places| wanted(**places)).count() as u64;
        let nowhere = count(|seen| places(seen) == 0);
        let queued = nowhere.min(ready.into());
        Tally {
            recorded: count(|places| places & RECORDED != 0),
            dead: count(|places| places & DEAD != 0),
            dropped: count(|seen| places(seen) == DROPPED),
            queued,
            missing: nowhere - queued,
            duplicate: count(|places| places & (RECORDED | DEAD) == RECORDED | DEAD),
            id_conflict: count(|places| places & CONFLICT != 0),
            claimed: count(|seen| seen == CLAIMED),
            consumers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reconciliation(ids: &[PostId]) -> Reconciliation {
        Reconciliation::new(ids.iter().copied().collect())
    }

    fn some(count: usize) -> Vec<PostId> {
        (0..count).map(|_| PostId::new()).collect()
    }

    #[test]
    fn what_is_nowhere_is_queued_as_far_as_the_queue_is_long_and_missing_beyond() {
        let reconciliation = reconciliation(&some(5));
        let tally = |ready| reconciliation.tally(ready, 0);
        assert_eq!((tally(7).queued, tally(7).missing), (5, 0));
        assert_eq!((tally(3).queued, tally(3).missing), (3, 2));
        assert_eq!((tally(0).queued, tally(0).missing), (0, 5));
    }

    #[test]
    fn recorded_and_dead_at_once_is_a_duplicate_and_counts_in_both() {
        let ids = some(2);
        let mut reconciliation = reconciliation(&ids);
        reconciliation.recorded(ids.clone());
        reconciliation.dead([ids[0]]);
        let tally = reconciliation.tally(0, 0);
        assert_eq!((tally.recorded, tally.dead, tally.duplicate, tally.missing), (2, 1, 1, 0));
        assert_eq!(reconciliation.duplicates(), [ids[0]]);
    }

    #[test]
    fn another_post_with_the_id_of_a_recorded_one_makes_no_duplicate() {
        let ids = some(2);
        let mut reconciliation = reconciliation(&ids);
        reconciliation.recorded(ids.clone());
        reconciliation.conflicting([ids[1]]);
        let tally = reconciliation.tally(0, 0);
        assert_eq!((tally.recorded, tally.dead, tally.duplicate, tally.id_conflict), (2, 0, 0, 1));
        assert_eq!(reconciliation.conflicts(), [ids[1]]);
        reconciliation.forget_dead();
        assert_eq!(reconciliation.tally(0, 0).id_conflict, 0);
    }

    #[test]
    fn dropped_counts_only_where_the_post_is_nowhere_else() {
        let ids = some(3);
        let mut reconciliation = reconciliation(&ids);
        reconciliation.dropped(ids.clone());
        reconciliation.recorded([ids[0]]);
        reconciliation.dead([ids[1]]);
        let tally = reconciliation.tally(0, 0);
        assert_eq!((tally.recorded, tally.dead, tally.dropped, tally.duplicate), (1, 1, 1, 0));
    }

    #[test]
    fn a_dead_letter_that_was_replayed_since_the_last_look_is_dead_no_more() {
        let ids = some(1);
        let mut reconciliation = reconciliation(&ids);
        reconciliation.dead(ids.clone());
        reconciliation.forget_dead();
        assert_eq!(reconciliation.nowhere(), ids);
        reconciliation.recorded(ids);
        assert_eq!(reconciliation.tally(0, 0).duplicate, 0);
    }

    #[test]
    fn a_claim_is_no_place_and_is_named_where_there_is_none() {
        let ids = some(2);
        let mut reconciliation = reconciliation(&ids);
        reconciliation.claim(ids.clone());
        reconciliation.recorded([ids[1]]);
        let Tally { recorded, dead, missing, duplicate, claimed, .. } = reconciliation.tally(0, 0);
        assert_eq!((recorded, dead, missing, duplicate, claimed), (1, 0, 1, 0, 1));
        assert_eq!((reconciliation.claimed(), reconciliation.missing()), (vec![ids[0]], vec![ids[0]]));
    }

    #[test]
    fn ids_of_others_are_skipped() {
        let mut reconciliation = reconciliation(&some(1));
        reconciliation.dead(some(3));
        assert_eq!(reconciliation.tally(0, 0).dead, 0);
    }

    proptest! {
        #[test]
        fn every_accepted_id_is_counted(places in proptest::collection::vec(0u8..8, 0..50), ready in 0u32..60) {
            let ids = some(places.len());
            let mut reconciliation = reconciliation(&ids);
            for (id, places) in ids.iter().zip(&places) {
                if places & 1 != 0 { reconciliation.recorded([*id]); }
                if places & 2 != 0 { reconciliation.dead([*id]); }
                if places & 4 != 0 { reconciliation.dropped([*id]); }
            }
            let Tally { recorded, dead, dropped, queued, missing, duplicate, .. } = reconciliation.tally(ready, 0);
            prop_assert_eq!(recorded + dead + dropped + queued + missing - duplicate, reconciliation.accepted());
            prop_assert_eq!(reconciliation.missing().len() as u64, queued + missing);
        }
    }
}
