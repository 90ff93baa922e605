//! What `sluice status` shows, and its last few minutes.

use std::collections::VecDeque;
use std::time::Duration;

use super::watched::Source;
use crate::status::known::Status;
use crate::status::sample::Sampler;

/// The time between two samples.
const REST: Duration = Duration::from_secs(2);
/// How many samples the curves show: some six minutes.
const POINTS: usize = 140;
/// A longer gap between two samples breaks the curves.
const GAP: Duration = Duration::from_secs(20);

/// A sample, and what was before it.
pub(crate) struct Moment {
    /// The latest sample.
    pub(crate) status: Status,
    /// One point for each sample, the oldest first.
    pub(crate) points: Vec<Point>,
}

/// What the curves show of a sample; none is unknown.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Point {
    /// Posts in the queue.
    pub(crate) waiting: Option<f64>,
    /// Dead letters.
    pub(crate) dead: Option<f64>,
    /// Posts accepted a second.
    pub(crate) accepted: Option<f64>,
    /// Posts stored a second.
    pub(crate) stored: Option<f64>,
}

/// Takes samples.
pub(crate) struct NowSource {
    sampler: Sampler,
    last: Option<Status>,
    points: VecDeque<Point>,
}

impl NowSource {
    /// From this sampler.
    pub(crate) fn new(sampler: Sampler) -> Self {
        Self { sampler, last: None, points: VecDeque::new() }
    }
}

impl Source for NowSource {
    type Value = Moment;

    async fn take(&mut self) -> Moment {
        let status = self.sampler.take().await;
        let recent = self.last.take().filter(|last| status.taken - last.taken < GAP);
        if recent.is_none() && !self.points.is_empty() {
            self.points.push_back(Point::default());
        }
        let status = match &recent {
            Some(last) => status.with_rates_since(last),
            None => status,
        };
        let rates = status.rates.as_ref();
        self.points.push_back(Point {
            waiting: status.queue.as_ref().map(|queue| queue.ready.into()),
            dead: status.dead_letters.as_ref().map(|dead| dead.ready.into()),
            accepted: rates.and_then(|rates| rates.accepted_per_second),
            stored: rates.and_then(|rates| rates.recorded_per_second),
        });
        while self.points.len() > POINTS {
            self.points.pop_front();
        }
        self.last = Some(status.clone());
        Moment { status, points: self.points.iter().copied().collect() }
    }

    fn rest(&self, _: Duration) -> Duration {
        if self.last.as_ref().is_some_and(|last| last.rates.is_none()) { Duration::from_secs(1) } else { REST }
    }
}
