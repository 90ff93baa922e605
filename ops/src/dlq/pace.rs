//! How fast an act goes: as fast as it can, or so many letters a second.

use std::time::Duration;

use tokio::time::Instant;

use super::batch::LETTERS;

/// With a rate, batches are so small that there are several of them a second.
const BATCHES_A_SECOND: u32 = 5;

/// Keeps the rate.
pub(super) struct Pace {
    rate: Option<u32>,
    begun: Instant,
    counted: u64,
}

impl Pace {
    /// At most so many letters a second; `None`: no limit.
    pub(super) fn new(rate: Option<u32>) -> Self {
        Self { rate, begun: Instant::now(), counted: 0 }
    }

    /// How many letters a batch may have.
    pub(super) fn batch(&self) -> usize {
        let wanted = self.rate.map_or(LETTERS, |rate| usize::try_from(rate / BATCHES_A_SECOND).unwrap_or(LETTERS));
        wanted.clamp(1, LETTERS)
    }

    /// Waits until the letters counted so far have had their time. The clock starts with the first of them, not with
    /// the search for it.
    pub(super) async fn wait(&mut self) {
        if self.counted == 0 {
            self.begun = Instant::now();
        }
        if let Some(rate) = self.rate {
            tokio::time::sleep_until(self.begun + due(self.counted, rate)).await;
        }
    }

    /// Counts letters that are about to be acted on.
    pub(super) fn count(&mut self, letters: usize) {
        self.counted += letters as u64;
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

    #[test]
    fn batches_are_small_when_there_is_a_rate() {
        for (rate, batch) in [(None, LETTERS), (Some(1), 1), (Some(50), 10), (Some(1_000_000), LETTERS)] {
            assert_eq!(Pace::new(rate).batch(), batch);
        }
    }
}
