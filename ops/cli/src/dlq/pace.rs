//! How fast an act goes: as fast as it can, or so many letters a second.

use std::time::Duration;

use tokio::time::Instant;

/// The letters of a usual batch: enough to make the wait for confirms and records small beside the work.
pub(super) const LETTERS: usize = 100;
/// With a rate, batches are so small that there are several of them a second.
const BATCHES_A_SECOND: u32 = 5;

/// An act that is later than this has been held up.
const LATE: Duration = Duration::from_secs(1);

/// Keeps the rate.
pub(super) struct Pace {
    rate: Option<u32>,
    /// The letters of the next batch, and of the largest one. Batches grow with what went well: a queue that is full
    /// is overrun by no more than what was on its way then.
    size: usize,
    most: usize,
    begun: Instant,
    counted: u64,
}

impl Pace {
    /// The most letters of a batch of an act that is to go slowly: about so many a second.
    pub(super) const SLOW: usize = 100;

    /// At most so many letters a second, `None` for no limit, and at most `most` letters a batch.
    pub(super) fn new(rate: Option<u32>, most: usize) -> Self {
        Self { rate, size: most.min(LETTERS), most, begun: Instant::now(), counted: 0 }
    }

    /// At most so many letters a second.
    pub(super) fn rate(&self) -> Option<u32> {
        self.rate
    }

    /// How many letters a batch may have.
    pub(super) fn batch(&self) -> usize {
        let wanted = self.rate.map_or(self.size, |rate| usize::try_from(rate / BATCHES_A_SECOND).unwrap_or(self.size));
        wanted.clamp(1, self.size)
    }

    /// Waits until the letters counted so far have had their time. The clock starts with the first of them, not with
    /// the search for it, and what was held up by something else is not made up for in a rush.
    pub(super) async fn wait(&mut self) {
        let Some(rate) = self.rate else { return };
        if self.counted == 0 {
            self.begun = Instant::now();
        }
        let next = self.begun + due(self.counted, rate);
        let late = Instant::now().saturating_duration_since(next);
        if late > LATE {
            self.begun += late;
        }
        tokio::time::sleep_until(next).await;
    }

    /// Counts letters that are about to be acted on.
    pub(super) fn count(&mut self, letters: usize) {
        self.counted += letters as u64;
        self.size = (self.size * 2).min(self.most);
    }
}

/// How long so many letters take at this rate.
fn due(letters: u64, rate: u32) -> Duration {
    Duration::from_secs_f64(letters as f64 / f64::from(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_kept_over_many_letters() {
        assert_eq!(due(0, 7), Duration::ZERO);
        assert_eq!(due(50, 10), Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_held_up_is_not_made_up_for() {
        let mut pace = Pace::new(Some(100), 100);
        pace.wait().await;
        pace.count(20);
        tokio::time::sleep(Duration::from_secs(60)).await;
        let resumed = Instant::now();
        for _ in 0..10 {
            pace.wait().await;
            pace.count(20);
        }
        assert!(resumed.elapsed() >= Duration::from_millis(1800), "{:?}", resumed.elapsed());
    }

    #[test]
    fn batches_are_small_when_there_is_a_rate() {
        for (rate, batch) in [(None, 100), (Some(1), 1), (Some(50), 10), (Some(1_000_000), 100)] {
            assert_eq!(Pace::new(rate, 100).batch(), batch);
        }
    }

    #[test]
    fn batches_grow_up_to_the_largest_one() {
        let mut pace = Pace::new(None, 300);
        let sizes = [(); 4].map(|()| {
            let size = pace.batch();
            pace.count(size);
            size
        });
        assert_eq!(sizes, [100, 200, 300, 300]);
    }
}
