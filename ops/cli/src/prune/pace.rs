//! How fast posts are deleted: workers come first.

use std::time::Duration;

/// A batch that takes longer is too large: a worker may wait for it.
const SLOW: Duration = Duration::from_millis(250);
/// A batch that takes less may be larger.
const FAST: Duration = Duration::from_millis(100);
/// The first batch.
const FIRST: usize = 50;

/// How many posts the next batch has.
#[derive(Debug)]
pub(super) struct Pace {
    posts: usize,
    most: usize,
}

impl Pace {
    /// Batches of at most so many posts.
    pub(super) fn new(most: u32) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX).max(1);
        Self { posts: FIRST.min(most), most }
    }

    /// How many posts the next batch has.
    pub(super) fn posts(&self) -> usize {
        self.posts
    }

    /// Learns how long a batch took. Gives the rest that follows: as long again, so that half of the time is the
    /// workers' alone, and more of it where statements slow down.
    pub(super) fn took(&mut self, time: Duration) -> Duration {
        if time > SLOW {
            self.posts = (self.posts / 2).max(1);
            return time * 2;
        }
        if time < FAST {
            self.posts = (self.posts * 2).min(self.most);
        }
        time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_grow_while_they_are_fast_and_shrink_when_they_slow_down() {
        let mut pace = Pace::new(500);
        let mut sizes = Vec::new();
        for milliseconds in [10, 20, 40, 80, 90, 150, 900, 900, 50] {
            let rest = pace.took(Duration::from_millis(milliseconds));
            assert!(rest >= Duration::from_millis(milliseconds));
            sizes.push(pace.posts());
        }
        assert_eq!(sizes, [100, 200, 400, 500, 500, 500, 250, 125, 250]);
        assert_eq!(Pace::new(1).posts(), 1);
    }
}
