//! When to try again: exponential, capped, jittered. The one place that knows the `backoff` crate.
//!
//! `backoff` gives the schedule and nothing else. Its `retry` helpers are not used: `?` inside them makes every error
//! transient, and their default is to give up after 15 minutes, which no supervisor may do.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;

/// The shape of a schedule. Each field is a setting of the worker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// The first wait, before jitter.
    pub base: Duration,
    /// What no wait exceeds.
    pub cap: Duration,
    /// How many attempts in all, the first one included. `None`: no end.
    pub max_attempts: Option<u32>,
}

impl RetryPolicy {
    /// Each wait is this many times the one before it.
    pub const MULTIPLIER: f64 = 2.0;

    /// How a supervisor rebuilds what broke: from `base` up to `cap`, for ever.
    #[must_use]
    pub fn forever(base: Duration, cap: Duration) -> Self {
        Self { base, cap, max_attempts: None }
    }

    /// Whether another attempt is allowed after `attempts` of them.
    #[must_use]
    pub fn allows_another(&self, attempts: u32) -> bool {
        self.max_attempts.is_none_or(|max| attempts < max)
    }

    /// A fresh run through this schedule.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        Schedule(ExponentialBackoff {
            current_interval: self.base.min(self.cap),
            initial_interval: self.base.min(self.cap),
            // Jitter is ours, drawn by the caller: the schedule itself stays a function of how often it was asked.
            randomization_factor: 0.0,
            multiplier: Self::MULTIPLIER,
            max_interval: self.cap,
            // Without an end in time its clock has no say.
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        })
    }
}

/// Where one run through a [`RetryPolicy`] stands.
#[derive(Debug)]
pub struct Schedule(ExponentialBackoff);

impl Schedule {
    /// The next wait: between half and the whole of the schedule's step, by `random` in `0.0..=1.0`.
    ///
    /// Half of it is certain, so that a storm never comes back at once; half is drawn, so that many waiters do not
    /// come back together.
    pub fn next_wait(&mut self, random: f64) -> Duration {
        let step = self.0.next_backoff().unwrap_or(self.0.max_interval);
        step.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
    }

    /// Begins anew, after a success.
    pub fn reset(&mut self) {
        self.0.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy(base_ms: u64, cap_ms: u64) -> RetryPolicy {
        RetryPolicy::forever(Duration::from_millis(base_ms), Duration::from_millis(cap_ms))
    }

    proptest! {
        #[test]
        fn no_wait_exceeds_the_cap_and_none_is_under_half_its_step(
            base in 1u64..5_000, cap in 1u64..60_000, randoms in proptest::collection::vec(0.0f64..=1.0, 1..40),
        ) {
            let mut schedule = policy(base, cap).schedule();
            let mut step = Duration::from_millis(base.min(cap));
            for random in randoms {
                let wait = schedule.next_wait(random);
                prop_assert!(wait <= Duration::from_millis(cap) + Duration::from_micros(1));
                prop_assert!(wait + Duration::from_micros(1) >= step / 2, "{wait:?} is under half of {step:?}");
                step = (step * 2).min(Duration::from_millis(cap));
            }
        }

        #[test]
        fn the_same_randomness_gives_the_same_waits(randoms in proptest::collection::vec(0.0f64..=1.0, 1..20)) {
            let micros = |wait: Duration| wait.as_micros();
            let (mut one, mut two) = (policy(100, 5_000).schedule(), policy(100, 5_000).schedule());
            for random in randoms {
                prop_assert!(micros(one.next_wait(random)).abs_diff(micros(two.next_wait(random))) <= 1);
            }
        }
    }

    #[test]
    fn it_never_gives_up_by_itself() {
        let mut schedule = policy(1, 4).schedule();
        let waits: Vec<_> = (0..10_000).map(|_| schedule.next_wait(1.0)).collect();
        assert!(waits[9_999] >= Duration::from_millis(4));
    }

    #[test]
    fn a_reset_begins_at_the_base() {
        let mut schedule = policy(100, 5_000).schedule();
        for _ in 0..8 {
            schedule.next_wait(1.0);
        }
        schedule.reset();
        assert_eq!(schedule.next_wait(1.0).as_millis(), 100);
    }

    #[test]
    fn the_attempts_are_counted_with_the_first_one() {
        let policy = RetryPolicy { max_attempts: Some(3), ..policy(1, 1) };
        assert!(policy.allows_another(2));
        assert!(!policy.allows_another(3));
        assert!(RetryPolicy { max_attempts: None, ..policy }.allows_another(u32::MAX));
    }
}
