//! A rate limit, in bursts small enough to look even and large enough to make batches.

use std::time::Duration;

use tokio::time::Instant;

/// How many bursts a second are wanted.
const BURSTS: f64 = 20.0;
/// How much lost time is made up for. Time beyond this, lost in an outage, does not cause a burst afterwards.
const MADE_UP: Duration = Duration::from_millis(250);

/// A clock that says when the next posts are due.
#[derive(Debug)]
pub struct RateLimit {
    /// Posts a second. `None`: as fast as it goes.
    rate: Option<f64>,
    due: Instant,
}

impl RateLimit {
    /// A clock for this many posts a second.
    #[must_use]
    pub fn new(rate: Option<f64>) -> Self {
        Self { rate, due: Instant::now() }
    }

    /// How many posts are best taken at once, of at most `most`.
    #[must_use]
    pub fn burst(&self, most: usize) -> usize {
        match self.rate {
            // A float in `1.0..=most` loses only its fraction when converted to an integer.
            Some(rate) => (rate / BURSTS).clamp(1.0, most as f64) as usize,
            None => most,
        }
    }

    /// Waits until this many posts may go.
    pub async fn take(&mut self, posts: usize) {
        let Some(rate) = self.rate else { return };
        if posts > 0 {
            tokio::time::sleep_until(self.due).await;
            let now = Instant::now();
            let from = self.due.max(now.checked_sub(MADE_UP).unwrap_or(now));
            self.due = from + Duration::from_secs_f64(posts as f64 / rate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept_over_time() {
        for rate in [0.5, 3.0, 1000.0, 50_000.0] {
            let (mut rate_limit, begun, mut sent) = (RateLimit::new(Some(rate)), Instant::now(), 0);
            while begun.elapsed() < Duration::from_secs(20) {
                rate_limit.take(rate_limit.burst(500)).await;
                sent += rate_limit.burst(500);
            }
            let wanted = rate * 20.0;
            assert!((sent as f64 - wanted).abs() <= wanted * 0.02 + 2.0, "{sent} of {wanted}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_an_outage_took_is_not_poured_out_afterwards() {
        let mut rate_limit = RateLimit::new(Some(1000.0));
        tokio::time::sleep(Duration::from_secs(60)).await;
        let (resumed, mut sent) = (Instant::now(), 0);
        while resumed.elapsed() < Duration::from_secs(1) {
            rate_limit.take(rate_limit.burst(500)).await;
            sent += rate_limit.burst(500);
        }
        assert!(sent <= 1350, "{sent}");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_waits_for_the_turn_of_no_post() {
        let (mut rate_limit, begun) = (RateLimit::new(Some(0.01)), Instant::now());
        rate_limit.take(1).await;
        rate_limit.take(0).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[tokio::test]
    async fn without_a_rate_nothing_waits() {
        let mut rate_limit = RateLimit::new(None);
        rate_limit.take(1_000_000).await;
        assert_eq!(rate_limit.burst(500), 500);
    }
}
