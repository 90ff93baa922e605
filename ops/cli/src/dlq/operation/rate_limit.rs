//! The rate of an operation: unlimited, or so many dead letters a second.

use std::time::Duration;

use tokio::time::Instant;

/// The dead letters of a usual batch: enough to make the wait for confirms and records small beside the work.
pub(crate) const BATCH: usize = 100;
/// With a rate, batches are so small that there are several of them a second.
const BATCHES_A_SECOND: u32 = 5;

/// An operation that is later than this was delayed.
const LATE: Duration = Duration::from_secs(1);

/// Keeps the rate.
pub(crate) struct RateLimit {
    rate: Option<u32>,
    /// The dead letters of the next batch, and of the largest one. Batches grow while all goes well, so that a full
    /// queue is exceeded by at most one batch.
    size: usize,
    most: usize,
    begun: Instant,
    counted: u64,
}

impl RateLimit {
    /// The most dead letters of a batch of an operation that is to go slowly: about so many a second.
    pub(crate) const SLOW: usize = 100;

    /// At most so many dead letters a second, `None` for no limit, and at most `most` dead letters a batch.
    pub(crate) fn new(rate: Option<u32>, most: usize) -> Self {
        Self { rate, size: most.min(BATCH), most, begun: Instant::now(), counted: 0 }
    }

    /// At most so many dead letters a second.
    pub(crate) fn rate(&self) -> Option<u32> {
        self.rate
    }

    /// How many dead letters a batch may have.
    pub(crate) fn batch(&self) -> usize {
        let wanted = self.rate.map_or(self.size, |rate| usize::try_from(rate / BATCHES_A_SECOND).unwrap_or(self.size));
        wanted.clamp(1, self.size)
    }

    /// Waits as long as the rate requires for the dead letters counted so far. The clock starts with the first of them,
    /// and delays from other causes are not made up for in a burst.
    pub(crate) async fn wait(&mut self) {
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

    /// Counts dead letters that are about to be acted on.
    pub(crate) fn count(&mut self, dead_letters: usize) {
        self.counted += dead_letters as u64;
        self.size = (self.size * 2).min(self.most);
    }
}

/// How long so many dead letters take at this rate.
fn due(dead_letters: u64, rate: u32) -> Duration {
    Duration::from_secs_f64(dead_letters as f64 / f64::from(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_kept_over_many_dead_letters() {
        assert_eq!(due(0, 7), Duration::ZERO);
        assert_eq!(due(50, 10), Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_held_up_is_not_made_up_for() {
        let mut rate_limit = RateLimit::new(Some(100), 100);
        rate_limit.wait().await;
        rate_limit.count(20);
        tokio::time::sleep(Duration::from_secs(60)).await;
        let resumed = Instant::now();
        for _ in 0..10 {
            rate_limit.wait().await;
            rate_limit.count(20);
        }
        assert!(resumed.elapsed() >= Duration::from_millis(1800), "{:?}", resumed.elapsed());
    }

    #[test]
    fn batches_are_small_when_there_is_a_rate() {
        for (rate, batch) in [(None, 100), (Some(1), 1), (Some(50), 10), (Some(1_000_000), 100)] {
            assert_eq!(RateLimit::new(rate, 100).batch(), batch);
        }
    }

    #[test]
    fn batches_grow_up_to_the_largest_one() {
        let mut rate_limit = RateLimit::new(None, 300);
        let sizes = [(); 4].map(|()| {
            let size = rate_limit.batch();
            rate_limit.count(size);
            size
        });
        assert_eq!(sizes, [100, 200, 300, 300]);
    }
}
