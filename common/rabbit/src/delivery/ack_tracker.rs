//! Which deliveries of a channel are settled, and how few acknowledgements can tell the broker so.
//!
//! The broker numbers the deliveries of a channel from 1, without gaps. Once all deliveries up to a number are settled,
//! one `basic.ack` with `multiple` acknowledges all that were not acknowledged yet. Posts that are stored together
//! mostly arrived together, so this is the usual case.

use std::collections::BTreeSet;

/// How a delivery is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AckKind {
    /// It is acknowledged.
    Ack,
    /// It goes back to the queue.
    Requeue,
    /// It is rejected, and the broker dead-letters it.
    Reject,
}

/// One frame to the broker, and the positions of the deliveries that it settles.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AckFrame {
    pub(super) tag: u64,
    pub(super) word: AckKind,
    /// It also settles all earlier deliveries that are not settled yet.
    pub(super) multiple: bool,
    pub(super) places: Vec<usize>,
}

/// Tracks which deliveries of one channel are settled.
#[derive(Debug, Default)]
pub(super) struct AckTracker {
    /// The latest settled delivery; nothing is known about later ones.
    latest: u64,
    /// Those before it that are still in flight: never more than consumers may hold.
    in_flight: BTreeSet<u64>,
}

impl AckTracker {
    /// Marks these deliveries as settled, and returns the frames to send, in this order.
    pub(super) fn answer(&mut self, answers: &[(u64, AckKind)]) -> Vec<AckFrame> {
        answers.iter().for_each(|(tag, _)| self.note(*tag));
        let all_before = self.in_flight.first().copied().unwrap_or(self.latest + 1);
        let (mut others, mut together, mut alone) = (Vec::new(), Vec::new(), Vec::new());
        for (place, &(tag, word)) in answers.iter().enumerate() {
            match word {
                AckKind::Ack if tag < all_before => together.push((tag, place)),
                AckKind::Ack => alone.push(one(tag, word, place)),
                AckKind::Requeue | AckKind::Reject => others.push(one(tag, word, place)),
            }
        }
        // Must be sent before the cumulative acknowledgement, which would cover them too.
        let mut told = others;
        // Its number must be one that the broker waits for: the last of those that are acknowledged now.
        if let Some(tag) = together.iter().map(|(tag, _)| *tag).max() {
            let places: Vec<_> = together.into_iter().map(|(_, place)| place).collect();
            told.push(AckFrame { tag, word: AckKind::Ack, multiple: places.len() > 1, places });
        }
        told.extend(alone);
        told
    }

    fn note(&mut self, tag: u64) {
        if tag > self.latest {
            self.in_flight.extend(self.latest + 1..tag);
            self.latest = tag;
        } else {
            self.in_flight.remove(&tag);
        }
    }
}

fn one(tag: u64, word: AckKind, place: usize) -> AckFrame {
    AckFrame { tag, word, multiple: false, places: vec![place] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The broker's side of a channel: the deliveries that are not settled yet.
    struct Broker {
        unanswered: BTreeSet<u64>,
        heard: Vec<(u64, AckKind)>,
    }

    impl Broker {
        fn add(&mut self, told: &AckFrame) {
            assert!(self.unanswered.contains(&told.tag), "it would end the channel: {} is unknown", told.tag);
            let meant: Vec<u64> =
                if told.multiple { self.unanswered.range(..=told.tag).copied().collect() } else { vec![told.tag] };
            for tag in meant {
                self.unanswered.remove(&tag);
                self.heard.push((tag, told.word));
            }
        }
    }

    fn word() -> impl Strategy<Value = AckKind> {
        prop_oneof![8 => Just(AckKind::Ack), 1 => Just(AckKind::Requeue), 1 => Just(AckKind::Reject)]
    }

    proptest! {
        #[test]
        fn every_delivery_is_answered_once_and_as_it_was_meant(
            words in proptest::collection::vec(word(), 1..60), order in any::<u64>(), sizes in proptest::collection::vec(1usize..9, 60),
        ) {
            let mut meant: Vec<(u64, AckKind)> = (1..).zip(words).collect();
            fastrand::Rng::with_seed(order).shuffle(&mut meant);
            let unanswered = meant.iter().map(|(tag, _)| *tag).collect();
            let (mut ack_tracker, mut broker) = (AckTracker::default(), Broker { unanswered, heard: Vec::new() });
            let (mut rest, mut sizes) = (&meant[..], sizes.into_iter());
            while !rest.is_empty() {
                let (batch, later) = rest.split_at(sizes.next().unwrap_or(1).min(rest.len()));
                let told = ack_tracker.answer(batch);
                let mut places: Vec<usize> = told.iter().flat_map(|told| told.places.clone()).collect();
                places.sort_unstable();
                prop_assert_eq!(places, (0..batch.len()).collect::<Vec<_>>(), "each has its word");
                told.iter().for_each(|told| broker.add(told));
                for answer in batch {
                    prop_assert!(broker.heard.contains(answer), "{:?} of {:?}", answer, broker.heard);
                }
                rest = later;
            }
            prop_assert_eq!(broker.heard.len(), meant.len());
        }
    }

    #[test]
    fn what_came_together_and_is_done_together_is_told_in_one_word() {
        let mut ack_tracker = AckTracker::default();
        let told = ack_tracker.answer(&[(2, AckKind::Ack), (1, AckKind::Ack), (3, AckKind::Ack)]);
        assert_eq!(told, [AckFrame { tag: 3, word: AckKind::Ack, multiple: true, places: vec![0, 1, 2] }]);
        assert_eq!(ack_tracker.answer(&[(5, AckKind::Ack)]), [one(5, AckKind::Ack, 0)], "4 is still in flight");
        assert_eq!(ack_tracker.answer(&[(4, AckKind::Ack)]), [one(4, AckKind::Ack, 0)], "5 has had its word");
    }
}
