//! How fast a sender may be: a bucket of tokens that refills at its rate. A post takes one.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// The slowest and the fastest rate, in posts a second.
const RATES: std::ops::RangeInclusive<f64> = 0.001..=1_000_000.0;
/// The largest burst, in posts.
const BURST_MAX: u32 = 1_000_000;

/// A rate, and how many posts may come at once after a rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rate {
    /// The time in which the bucket gains one token.
    period: Duration,
    burst: NonZeroU32,
}

impl Rate {
    /// So many posts a second, and at once so many, or as many as a second has.
    ///
    /// # Errors
    /// Which of the two is wrong, and what is taken.
    pub(super) fn new(posts: f64, burst: Option<u32>) -> Result<Self, String> {
        if !RATES.contains(&posts) {
            let (least, most) = RATES.into_inner();
            return Err(format!("rate is {posts}; it has to be {least} to {most} posts per second"));
        }
        let second = posts.ceil().clamp(1.0, f64::from(BURST_MAX)) as u32;
        let burst = burst.unwrap_or(second);
        match NonZeroU32::new(burst) {
            Some(burst) if burst.get() <= BURST_MAX => Ok(Self { period: Duration::from_secs_f64(1.0 / posts), burst }),
            _ => Err(format!("burst is {burst}; it has to be 1 to {BURST_MAX} posts")),
        }
    }
}

/// The bucket of one sender.
pub(super) struct Bucket {
    /// The rate at which it refills.
    pub(super) rate: Rate,
    tokens: DefaultDirectRateLimiter,
    clock: DefaultClock,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(rate: Rate) -> Self {
        // No rate has a period of zero.
        let quota = Quota::with_period(rate.period).unwrap_or_else(|| Quota::per_second(rate.burst));
        let clock = DefaultClock::default();
        Self { rate, tokens: RateLimiter::direct_with_clock(quota.allow_burst(rate.burst), clock.clone()), clock }
    }

    /// Takes one token.
    ///
    /// # Errors
    /// How long it takes until there is one.
    pub(super) fn take(&self) -> Result<(), Duration> {
        self.tokens.check().map_err(|early| early.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_one_that_a_clock_can_keep() {
        for (posts, burst) in [(0.001, None), (1.0, Some(1)), (0.5, Some(BURST_MAX)), (1_000_000.0, None)] {
            assert!(Rate::new(posts, burst).is_ok(), "{posts} {burst:?}");
        }
        for (posts, burst, named) in [
            (0.0, None, "rate"),
            (-1.0, None, "rate"),
            (f64::NAN, None, "rate"),
            (f64::INFINITY, None, "rate"),
            (1e7, None, "rate"),
            (1.0, Some(0), "burst"),
            (1.0, Some(BURST_MAX + 1), "burst"),
        ] {
            let problem = Rate::new(posts, burst).expect_err(named);
            assert!(problem.starts_with(named), "{problem}");
        }
        assert_eq!(Rate::new(7.5, None).map(|rate| rate.burst.get()), Ok(8));
        assert_eq!(Rate::new(0.1, None).map(|rate| rate.burst.get()), Ok(1));
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_says_how_long_the_next_takes() {
        let bucket = Bucket::new(Rate::new(0.01, Some(3)).expect("a rate"));
        assert!((0..3).all(|_| bucket.take().is_ok()));
        let wait = bucket.take().expect_err("it is empty");
        assert!(wait > Duration::from_secs(90) && wait <= Duration::from_secs(100), "{wait:?}");
    }
}
