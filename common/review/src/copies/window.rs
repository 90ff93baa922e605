//! The posts of the last while, so that a post learns how many others say nearly the same.
//!
//! ```text
//!  sketch ─┬─ rows 0–3 ───► chain ─► the newest post with these rows ─► the next older one ─► …
//!          ├─ rows 4–7 ───► chain ─► …                     each of them compared in all 64 rows
//!          ⋮
//!  id ───────────────────► chain ─► whether it is known
//! ```
//!
//! Who says nearly the same shares a chain, unless the rows that differ are spread over all of them.

use std::time::Duration;

use super::ring::{Ring, STEPS_MAX};
use super::said::Said;
use super::sketch::ALIKE;

/// More copies than this are not counted.
pub const ENOUGH: usize = 100;

/// The window.
pub struct Window {
    span: u64,
    ring: Ring,
    looks: u32,
}

/// How many posts say nearly the same as one, itself among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Near {
    /// The posts, at most [`ENOUGH`].
    pub posts: usize,
    /// Their authors, as far as they have names.
    pub authors: usize,
    /// How long ago the first of them came.
    pub since: Duration,
}

impl std::fmt::Debug for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Window").field("entries", &self.entries()).finish_non_exhaustive()
    }
}

impl Window {
    /// An empty window of this length with room for so many posts, rounded up to a power of two.
    #[must_use]
    pub fn new(span: Duration, room: usize) -> Self {
        Self { span: millis(span), ring: Ring::new(room), looks: 0 }
    }

    /// How many posts it holds.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.ring.len()
    }

    /// What it takes when it is full, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.ring.bytes()
    }

    /// How many posts say nearly the same as this one, and whether it was taken in: not where it is known already, nor
    /// where [`ENOUGH`] others came in the newer half of the window, so that a flood of copies displaces little. `now` is
    /// the time since any fixed moment, and never less than before.
    pub fn meet(&mut self, said: &Said, now: Duration) -> (Near, bool) {
        let near = self.near(said, now);
        let enough = near.posts >= ENOUGH && millis(near.since) < self.span / 2;
        (near, !enough && self.add(said, now))
    }

    /// Takes in a post that was met elsewhere. Tells whether it was new.
    pub fn add(&mut self, said: &Said, now: Duration) -> bool {
        self.ring.add(said, millis(now))
    }

    fn near(&mut self, said: &Said, now: Duration) -> Near {
        self.looks = self.looks.wrapping_add(1);
        let (look, now, span) = (self.looks, millis(now), self.span);
        let (mut posts, mut first, mut authors) = (1, now, vec![said.author]);
        let mut steps = 0;
        self.ring.sharing(said, |entry| {
            if entry.looked != look {
                entry.looked = look;
                steps += 1;
                let within = now.saturating_sub(entry.at) <= span;
                if within && entry.said.post != said.post && entry.said.sketch.alike(&said.sketch) >= ALIKE {
                    posts += 1;
                    first = first.min(entry.at);
                    authors.push(entry.said.author);
                }
            }
            posts < ENOUGH && steps < STEPS_MAX
        });
        authors.sort_unstable();
        authors.dedup();
        let authors = authors.iter().filter(|author| **author != 0).count();
        Near { posts, authors, since: Duration::from_millis(now - first) }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copies::Sketch;
    use crate::copies::sketch::ROWS;
    use proptest::prelude::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn said(post: u8, author: u64, rows: [u8; ROWS]) -> Said {
        Said { post: [post; 16], author, sketch: Sketch(rows) }
    }

    /// A sketch that agrees with others of its kind in 64 − `off` rows.
    fn rows(kind: u8, off: usize, variant: u8) -> [u8; ROWS] {
        std::array::from_fn(|row| if row < ROWS - off { kind } else { 100 + variant })
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_post_counts_once_however_often_it_is_delivered() {
        let mut window = Window::new(HOUR, 64);
        for second in 0..20 {
            let (near, new) = window.meet(&said(1, 1, rows(1, 0, 0)), secs(second));
            assert_eq!((near.posts, near.authors, near.since, new), (1, 1, Duration::ZERO, second == 0));
        }
        let (near, new) = window.meet(&said(2, 1, rows(1, 0, 0)), secs(30));
        assert_eq!((near, new), (Near { posts: 2, authors: 1, since: secs(30) }, true));
    }

    #[test]
    fn half_of_the_rows_make_a_near_copy_and_less_does_not() {
        let mut window = Window::new(HOUR, 64);
        window.add(&said(1, 1, rows(1, 32, 1)), secs(0));
        window.add(&said(2, 0, rows(1, 33, 2)), secs(0));
        window.add(&said(3, 3, rows(2, 0, 0)), secs(0));
        let near = window.meet(&said(4, 0, rows(1, 0, 0)), secs(5)).0;
        assert_eq!(near, Near { posts: 2, authors: 1, since: secs(5) });
    }

    #[test]
    fn what_is_older_than_the_window_does_not_count() {
        let mut window = Window::new(HOUR, 64);
        window.add(&said(1, 1, rows(1, 0, 0)), secs(0));
        window.add(&said(2, 2, rows(1, 0, 0)), secs(1));
        let near = |window: &mut Window, now| window.meet(&said(1, 1, rows(1, 0, 0)), now).0.posts;
        assert_eq!(near(&mut window, HOUR + secs(1)), 2);
        assert_eq!(near(&mut window, HOUR + secs(1) + Duration::from_millis(1)), 1);
    }

    #[test]
    fn of_a_flood_of_copies_only_so_many_are_taken_in_and_the_flood_is_never_forgotten() {
        let mut window = Window::new(HOUR, 1 << 12);
        let mut met = 0_u32;
        for second in 0..4 * 3600 {
            met += 1;
            let mut post = [0; 16];
            post[..4].copy_from_slice(&met.to_be_bytes());
            let said = Said { post, author: 7, sketch: Sketch(rows(1, 0, 0)) };
            let near = window.meet(&said, secs(second)).0;
            assert_eq!(near.posts, (met as usize).min(ENOUGH), "{second}");
        }
        assert!((700..1000).contains(&window.entries()), "{}", window.entries());
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_does_not_matter_nor_does_hearing_it_twice(
            posts in prop::collection::vec((0..40_u8, 0..5_u64, 0..3_u8, 0..40_usize), 1..60),
            order in Just((0..120_usize).collect::<Vec<_>>()).prop_shuffle(),
            probe in 0..3_u8,
        ) {
            // One id has one text, as ids do.
            let mut all: Vec<Said> = Vec::new();
            for (post, author, kind, off) in posts {
                if !all.iter().any(|said| said.post[0] == post) {
                    all.push(said(post, author, rows(kind, off, post)));
                }
            }
            let probe = said(255, 9, rows(probe, 0, 0));
            let mut straight = Window::new(HOUR, 64);
            for said in &all {
                straight.add(said, secs(0));
            }
            let mut shuffled = Window::new(HOUR, 64);
            for at in order {
                shuffled.add(&all[at % all.len()], secs(0));
            }
            let near = straight.near(&probe, secs(1));
            prop_assert_eq!(near, shuffled.near(&probe, secs(1)));
            let alike = all.iter().filter(|said| said.sketch.alike(&probe.sketch) >= ALIKE);
            prop_assert_eq!(near.posts, 1 + alike.count());
        }
    }
}
