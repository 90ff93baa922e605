//! What follows from a delivery, at the sender and at the forum.

use sluice_core::verdict::Verdict;

use crate::property::ORDER;
use crate::rules::{Broken, Rules};
use crate::state::State;

impl State {
    /// The forum takes it and says so.
    pub(crate) fn post(&mut self, rules: &Rules, s: u8) {
        let Some(event) = self.senders[usize::from(s)].take() else { return };
        self.hears(rules, event);
        self.delivered(event);
    }

    /// common/mysql/src/review/delivery.rs, `delivered`.
    pub(crate) fn delivered(&mut self, event: u8) {
        if self.undelivered().next() == Some(event) {
            self.lease = None;
        }
        self.delivered |= 1 << event;
    }

    /// common/mysql/src/review/delivery.rs, `delivery_failed`: the word of whoever has the lease no more counts nothing.
    pub(crate) fn cut(&mut self, rules: &Rules, s: u8, applied: bool) {
        self.left.cuts -= 1;
        let Some(event) = self.senders[usize::from(s)].take() else { return };
        if applied {
            self.hears(rules, event);
        }
        if rules.is(Broken::SilenceIsDelivery) {
            return self.delivered(event);
        }
        let first = self.undelivered().next() == Some(event);
        if first && self.lease.is_some_and(|(owner, _)| owner == s) {
            self.lease = None;
        }
    }

    /// The forum's one rule: apply an event only if its revision is higher than the one it has.
    pub(crate) fn hears(&mut self, rules: &Rules, event: u8) {
        let told = event.checked_sub(1).and_then(|place| self.decisions.get(usize::from(place)));
        let (revision, verdict) = told.map_or((0, Verdict::Held), |told| (told.revision, told.verdict));
        let forum = &mut self.forum;
        let in_order = forum.heard.map_or(event == 0, |heard| event <= heard + 1);
        forum.heard = forum.heard.max(Some(event));
        if forum.revision.is_none_or(|known| revision > known) || rules.is(Broken::AppliesAnyRevision) {
            (forum.revision, forum.verdict) = (Some(revision), verdict);
        }
        if !in_order {
            self.wrong(ORDER);
        }
    }
}
