//! Where each accepted id was found. Pure functions; one byte per id besides the id itself, so a million ids fit in
//! memory.

use std::collections::{HashMap, HashSet};

use sluice_core::post::PostId;

use super::tally::{CLAIMED, CONFLICT, DEAD, DROPPED, PRUNED, RECORDED, Tally, places};

/// All accepted ids and where they were seen.
pub(super) struct Reconciliation {
    seen: HashMap<PostId, u8>,
}

impl Reconciliation {
    /// An empty tally.
    #[must_use]
    pub(super) fn new(ids: HashSet<PostId>) -> Self {
        Self { seen: ids.into_iter().map(|id| (id, 0)).collect() }
    }

    /// How many ids there are.
    #[must_use]
    pub(super) fn accepted(&self) -> u64 {
        self.seen.len() as u64
    }

    /// Those that are not recorded. Whoever has a row was stored, even if it is
    /// pruned meanwhile, so the others need not be queried again.
    #[must_use]
    pub(super) fn unrecorded(&self) -> Vec<PostId> {
        self.ids(|places| places & RECORDED == 0)
    }

    /// Those that were seen nowhere. Only these are searched for among the dropped: a dropped post that is also
    /// somewhere else (a second copy, or submitted again) counts there.
    #[must_use]
    pub(super) fn nowhere(&self) -> Vec<PostId> {
        self.ids(|places| places & (RECORDED | DEAD) == 0)
    }

    /// In no place, dropped and pruned ones aside.
    #[must_use]
    pub(super) fn missing(&self) -> Vec<PostId> {
        self.ids(|seen| places(seen) == 0)
    }

    /// In no place, but claimed by a dead letter.
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

    /// Dead letters disappear when they are replayed, so each round starts again.
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

    /// These were stored and pruned.
    pub(super) fn pruned(&mut self, ids: impl IntoIterator<Item = PostId>) {
        self.mark(ids, PRUNED);
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
        Tally::of(self.seen.values().copied(), ready, consumers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reconciliation(ids: &[PostId]) -> Reconciliation {
        Reconciliation::new(ids.iter().copied().collect())
    }

    fn some(count: usize) -> Vec<PostId> {
        (0..count).map(|_| PostId::new()).collect()
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
}
