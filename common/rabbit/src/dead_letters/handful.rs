//! How many dead letters a consumer receives at once, and which consumer received which.
//!
//! RabbitMQ limits the number of a consumer's messages, not their bytes, so the number is derived from the sizes seen
//! so far: the first consumer receives one, each further consumer four times as many, up to [`HANDFUL_BYTES`].

use deadpool_lapin::lapin;
use lapin::Consumer;
use lapin::message::Delivery;
use tokio::time::Instant;

use crate::publisher::header_frame;

/// The approximate maximum of bytes for one consumer.
pub(super) const HANDFUL_BYTES: usize = 16 * 1024 * 1024;
/// By how much each consumer may receive more than the one before.
const GROWTH: usize = 4;
/// The most dead letters that one nack returns, and the most nacks before the browser checks that they are back. Both
/// stay below the broker's limit of 32; a nack covers dead letters of one consumer only.
const SLICE: usize = 32;
const SLICES: usize = 28;

/// A consumer at work.
pub(super) struct Handful {
    pub(super) tag: String,
    pub(super) dead_letters: Consumer,
    /// How many it may receive, and how many have arrived.
    pub(super) wanted: u16,
    pub(super) came: u16,
    /// When the last one came.
    pub(super) heard: Instant,
}

/// How many the next one may take.
#[derive(Debug)]
pub(super) struct Size {
    next: usize,
    /// The largest dead letter of the consumer at work.
    largest: usize,
}

impl Size {
    /// The initial state, when no sizes are known.
    pub(super) fn new() -> Self {
        Self { next: 1, largest: 0 }
    }

    /// The next consumer's, when so many dead letters are left.
    pub(super) fn of(&mut self, left: u32) -> u16 {
        self.largest = 0;
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        u16::try_from(self.next.min(left)).unwrap_or(u16::MAX)
    }

    /// One more dead letter has come.
    pub(super) fn see(&mut self, bytes: usize) {
        self.largest = self.largest.max(bytes);
    }

    /// The consumer has all of them.
    pub(super) fn end(&mut self, took: u16) {
        let fit = HANDFUL_BYTES / self.largest.max(1);
        self.next = usize::from(took).saturating_mul(GROWTH).min(fit).clamp(1, u16::MAX.into());
    }
}

/// The bytes of a dead letter, as they come over the wire.
pub(super) fn bytes(dead_letter: &Delivery) -> usize {
    dead_letter.data.len() + header_frame(&dead_letter.properties)
}

/// The delivery tags of all that were ever in flight, in their order, by consumer.
#[derive(Debug, Default)]
pub(super) struct Taken {
    tags: Vec<u64>,
    /// Where in `tags` each consumer's begin.
    starts: Vec<usize>,
}

impl Taken {
    /// From now on they come by another consumer.
    pub(super) fn begin(&mut self) {
        self.starts.push(self.tags.len());
    }

    /// One more.
    pub(super) fn add(&mut self, dead_letter: &Delivery) {
        self.tags.push(dead_letter.delivery_tag);
    }

    /// The nacks that return them, except those that `removed` picks: for each, the last tag it covers and the number
    /// of dead letters. After each window of nacks, the browser must check that they are back.
    pub(super) fn windows(&self, removed: impl Fn(u64) -> bool) -> Vec<Vec<(u64, usize)>> {
        let ends = self.starts.iter().skip(1).copied().chain([self.tags.len()]);
        let mut answers = Vec::new();
        for (start, end) in self.starts.iter().zip(ends) {
            let kept: Vec<u64> = self.tags[*start..end].iter().copied().filter(|tag| !removed(*tag)).collect();
            answers.extend(kept.chunks(SLICE).filter_map(|slice| Some((*slice.last()?, slice.len()))));
        }
        answers.chunks(SLICES).map(<[_]>::to_vec).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead_letter(tag: u64) -> Delivery {
        Delivery::mock(tag, "e".into(), "k".into(), false, Vec::new())
    }

    #[test]
    fn a_consumer_takes_four_times_as_many_as_the_one_before_while_their_bytes_allow_it() {
        let mut size = Size::new();
        let mut sizes = Vec::new();
        for bytes in [100, 100, 100, 8 << 20, 8 << 20, 100, 20 << 20, 100] {
            sizes.push(size.of(u32::MAX));
            size.see(bytes);
            size.end(*sizes.last().expect("one was pushed"));
        }
        assert_eq!(sizes, [1, 4, 16, 64, 2, 2, 8, 1]);
        assert_eq!(Size { next: 1 << 20, largest: 0 }.of(u32::MAX), u16::MAX);
        assert_eq!(Size { next: 64, largest: 0 }.of(3), 3);
    }

    #[test]
    fn an_answer_has_dead_letters_of_one_consumer_and_none_that_were_removed() {
        let mut taken = Taken::default();
        for (from, to) in [(1, 3), (4, 40), (41, 41)] {
            taken.begin();
            (from..=to).for_each(|tag| taken.add(&dead_letter(tag)));
        }
        assert_eq!(taken.windows(|tag| tag == 2 || tag == 41), [vec![(3, 2), (35, 32), (40, 5)]]);
        assert!(taken.windows(|_| true).is_empty());
        let mut many = Taken::default();
        for tag in 1..=60 {
            many.begin();
            many.add(&dead_letter(tag));
        }
        assert_eq!(many.windows(|_| false).iter().map(Vec::len).collect::<Vec<_>>(), [28, 28, 4]);
    }
}
