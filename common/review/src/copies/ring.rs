//! The ring of entries, and the chains through it.
//!
//! Entries are numbered without an end, and a new one takes the place of the oldest. Links are numbers, so a link to an
//! entry that has gone leads nowhere, and nothing is ever unlinked. All memory is reserved at the start.

use super::hash::mixed;
use super::said::Said;
use super::sketch::ROWS;

/// Groups of rows by which copies are looked up. Of posts that share half of their pieces 64 % meet in one of them, of
/// those that share two thirds 97 %.
pub(super) const BANDS: usize = 16;
/// Rows of such a group.
const BAND_ROWS: usize = 4;
const _: () = assert!(BANDS * BAND_ROWS <= ROWS);
/// Links of an entry: one for each band, and one for its id.
const LINKS: usize = BANDS + 1;
/// The link of ids.
const BY_ID: usize = BANDS;
/// How many entries one search looks at, at most.
pub(super) const STEPS_MAX: usize = 1000;

/// A post in the ring.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) said: Said,
    /// When it came, in milliseconds since the window's beginning.
    pub(super) at: u64,
    /// The last search that compared it: each compares an entry once.
    pub(super) looked: u32,
    /// The next older entry in each chain.
    older: [u32; LINKS],
}

/// The ring.
pub(super) struct Ring {
    entries: Vec<Entry>,
    room: usize,
    /// The number of the next entry.
    next: u32,
    /// The newest entry of each chain: `room` chains for each link.
    newest: Vec<u32>,
}

impl Ring {
    /// With room for so many posts, rounded up to a power of two.
    pub(super) fn new(room: usize) -> Self {
        let room = room.next_power_of_two();
        Self { entries: Vec::with_capacity(room), room, next: 1, newest: vec![0; LINKS * room] }
    }

    /// How many posts it holds.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What it takes when it is full, in bytes. The memory is touched as it fills.
    pub(super) fn bytes(&self) -> usize {
        self.room * (size_of::<Entry>() + LINKS * size_of::<u32>())
    }

    /// Takes in a post, unless its id is known. Tells whether it was new.
    pub(super) fn add(&mut self, said: &Said, at: u64) -> bool {
        let chains = self.chains(said);
        let mut number = self.newest[chains[BY_ID]];
        for _ in 0..STEPS_MAX {
            let Some(known) = self.place(number) else { break };
            if self.entries[known].said.post == said.post {
                return false;
            }
            number = self.entries[known].older[BY_ID];
        }
        let older = chains.map(|chain| std::mem::replace(&mut self.newest[chain], self.next));
        let entry = Entry { said: *said, at, looked: 0, older };
        let place = self.at(self.next);
        match self.entries.get_mut(place) {
            Some(oldest) => *oldest = entry,
            None => self.entries.push(entry),
        }
        self.next = self.next.wrapping_add(1);
        true
    }

    /// Goes through the entries that share a band with this one, the newest of each band first, an entry as often as it
    /// shares bands, until `visit` has enough.
    pub(super) fn sharing(&mut self, said: &Said, mut visit: impl FnMut(&mut Entry) -> bool) {
        for (band, chain) in self.chains(said).into_iter().enumerate().take(BANDS) {
            let mut number = self.newest[chain];
            while let Some(place) = self.place(number) {
                let entry = &mut self.entries[place];
                number = entry.older[band];
                if !visit(entry) {
                    return;
                }
            }
        }
    }

    /// The chains of a post, each by the place of its newest entry.
    fn chains(&self, said: &Said) -> [usize; LINKS] {
        std::array::from_fn(|link| {
            let key = if link == BY_ID {
                let [one, other] = [0, 8].map(|at| half(&said.post, at));
                mixed(mixed(one) ^ other)
            } else {
                let rows = &said.sketch.0[link * BAND_ROWS..][..BAND_ROWS];
                mixed(rows.iter().fold(0, |key, row| key << 8 | u64::from(*row)))
            };
            link * self.room + key as usize % self.room
        })
    }

    /// Where the entry of this number lies, if it is still there.
    fn place(&self, number: u32) -> Option<usize> {
        let age = self.next.wrapping_sub(number) as usize;
        (1..=self.entries.len()).contains(&age).then(|| self.at(number))
    }

    /// Where the entry of this number lies: the first one is number 1.
    fn at(&self, number: u32) -> usize {
        number.wrapping_sub(1) as usize % self.room
    }
}

/// Eight bytes of an id, from this one on.
fn half(id: &[u8; 16], at: usize) -> u64 {
    id[at..at + 8].iter().fold(0, |half, byte| half << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copies::Sketch;

    fn said(post: u8, row: u8) -> Said {
        Said { post: [post; 16], author: 0, sketch: Sketch([row; ROWS]) }
    }

    /// The ids of the entries that share a band with these rows.
    fn sharing(ring: &mut Ring, row: u8) -> Vec<u8> {
        let mut found = Vec::new();
        ring.sharing(&said(0, row), |entry| {
            found.push(entry.said.post[0]);
            true
        });
        found.sort_unstable();
        found.dedup();
        found
    }

    #[test]
    fn the_oldest_gives_way_and_memory_is_what_is_said() {
        let mut ring = Ring::new(7);
        let bytes = ring.bytes();
        assert_eq!(bytes, 8 * (168 + 68));
        for post in 1..100 {
            assert!(ring.add(&said(post, post), 0));
            assert_eq!(ring.len(), usize::from(post).min(8));
            assert_eq!((ring.entries.capacity(), ring.newest.len(), ring.bytes()), (8, 17 * 8, bytes));
        }
        for post in 1..100 {
            let there = if post >= 92 { vec![post] } else { Vec::new() };
            let mut shared = sharing(&mut ring, post);
            // Chains of few rooms hold others too.
            shared.retain(|found| *found == post);
            assert_eq!(shared, there, "{post}");
        }
    }

    #[test]
    fn an_id_is_known_as_long_as_it_is_there_whatever_is_said_under_it() {
        let mut ring = Ring::new(4);
        for post in 1..=4 {
            assert!(ring.add(&said(post, 1), 0));
            assert!(!ring.add(&said(post, 2), 0));
        }
        assert!(ring.add(&said(5, 1), 0) && ring.add(&said(1, 1), 0) && !ring.add(&said(3, 1), 0));
    }

    #[test]
    fn numbers_that_begin_again_lose_nothing() {
        let mut ring = Ring::new(8);
        // The first entry lies where number 1 would.
        ring.next = u32::MAX - 22;
        for post in 1..=60 {
            assert!(ring.add(&said(post, 1), 0) && !ring.add(&said(post, 1), 0), "{post}");
            assert_eq!(sharing(&mut ring, 1), (post.saturating_sub(7).max(1)..=post).collect::<Vec<_>>());
        }
    }
}
