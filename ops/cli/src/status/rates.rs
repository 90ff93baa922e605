//! Rates, computed from two samples.

use sluice_rabbit::worker_status::WorkerStatus;

use super::known::{Rates, Status, WorkerRate};
use super::workers::Workers;

impl Status {
    /// The same, with the rates since an earlier sample, and with the beginning of what is still unreachable.
    #[must_use]
    pub(crate) fn with_rates_since(mut self, earlier: &Self) -> Self {
        for unreachable in &mut self.unreachable {
            if let Some(before) = earlier.unreachable.iter().find(|before| before.what == unreachable.what) {
                unreachable.since = before.since;
            }
        }
        let over = (self.taken - earlier.taken).as_secs_f64();
        self.rates = (over > 0.0).then(|| self.rates_since(earlier, over));
        self
    }

    fn rates_since(&self, earlier: &Self, over: f64) -> Rates {
        let left = self.workers.as_ref().map(|workers| left(workers, earlier)).unwrap_or_default();
        let total = |of: fn(&Left) -> u64| {
            let all: Option<u64> = left.iter().map(|one| one.as_ref().map(of)).sum();
            all.filter(|_| self.workers.is_some() && earlier.workers.is_some()).map(|all| all as f64)
        };
        let stored = total(|left| left.stored);
        let counted = self.posts.as_ref().zip(earlier.posts.as_ref()).filter(|(now, then)| now.exact && then.exact);
        let recorded = counted.map(|(now, then)| now.ever() as f64 - then.ever() as f64).or(stored);
        let queues = self.queue.as_ref().zip(earlier.queue.as_ref());
        let growth = queues.map(|(now, then)| f64::from(now.ready) - f64::from(then.ready));
        let in_flight = queues.map(|(now, then)| f64::from(now.in_flight) - f64::from(then.in_flight));
        let settled = total(|left| left.stored + left.dead_lettered).filter(|_| self.all_answer());
        let accepted = growth.zip(in_flight).zip(settled).map(|((growth, in_flight), left)| growth + in_flight + left);
        let per_second = |posts: f64| tenths(posts / over);
        let names = self.workers.iter().flat_map(Workers::members);
        let workers = names.zip(&left).map(|(worker, left)| WorkerRate {
            worker: worker.worker.clone(),
            pid: worker.pid,
            stored_per_second: left.as_ref().map(|left| per_second(left.stored as f64)),
            share: left.as_ref().zip(stored.filter(|all| *all > 0.0)).map(|(left, all)| left.stored as f64 / all),
        });
        Rates {
            over_seconds: (over * 1000.0).round() / 1000.0,
            // The two values are not read at the same moment, so small differences may be negative.
            accepted_per_second: accepted.map(|posts| per_second(posts.max(0.0))),
            recorded_per_second: recorded.map(per_second),
            queue_growth_per_second: growth.map(per_second),
            workers: workers.collect(),
        }
    }

    /// Whether every consumer of the queue belongs to a worker that answered.
    fn all_answer(&self) -> bool {
        let asked = self.queue.as_ref().zip(self.workers.as_ref());
        asked.is_some_and(|(queue, workers)| queue.consumers <= workers.consumers())
    }
}

/// What left the queue through one worker.
#[derive(Debug, Clone, Copy)]
struct Left {
    stored: u64,
    dead_lettered: u64,
}

/// The same for each worker; `None` for one that ran at the earlier sample but did not answer.
fn left(workers: &Workers, earlier: &Status) -> Vec<Option<Left>> {
    let before = |now: &WorkerStatus| {
        let same =
            |then: &&WorkerStatus| (&then.worker, then.pid) == (&now.worker, now.pid) && then.stored <= now.stored;
        earlier.workers.iter().flat_map(Workers::members).find(same)
    };
    let since = |now: &WorkerStatus| match before(now) {
        Some(then) => Some(Left {
            stored: now.stored - then.stored,
            dead_lettered: now.dead_lettered.saturating_sub(then.dead_lettered),
        }),
        None if now.started_at >= earlier.at => Some(Left { stored: now.stored, dead_lettered: now.dead_lettered }),
        None => None,
    };
    workers.members().iter().map(since).collect()
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::super::known::{Posts, Queue, Unreachable};
    use super::super::workers::tests::{NOON, workers_of};
    use super::*;
    use sluice_core::verdict::Verdict;
    use sluice_mysql::Stored;
    use sluice_rabbit::topology::Depth;
    use std::time::Duration;
    use tokio::time::Instant;

    fn status(after: Duration, ready: Option<u32>, rows: Option<u64>, workers: Option<Workers>) -> Status {
        static BEGUN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        let consumers = workers.as_ref().map_or(0, Workers::consumers);
        let queue = |ready| Queue::new("post_queue".to_owned(), Depth { ready, consumers }, workers.as_ref(), NOON);
        Status {
            at: NOON + after,
            taken: *BEGUN.get_or_init(Instant::now) + after,
            prefix: "post".to_owned(),
            paused: None,
            queue: ready.map(queue),
            workers,
            dead_letters: None,
            posts: rows.map(|rows| Posts::new(&Stored::Exactly(vec![(Verdict::Approved, rows)]), 0)),
            review: None,
            cluster: Vec::new(),
            rates: None,
            unreachable: Vec::new(),
        }
    }

    fn rates(from: Status, to: Status) -> Rates {
        to.with_rates_since(&from).rates.expect("time has passed")
    }

    #[test]
    fn rates_are_differences_by_the_time_between() {
        let at = |seconds, ready, rows| status(Duration::from_secs(seconds), Some(ready), Some(rows), None);
        let rates = rates(at(0, 100, 1000), at(2, 40, 1500));
        assert_eq!((rates.recorded_per_second, rates.queue_growth_per_second), (Some(250.0), Some(-30.0)));
    }

    #[test]
    fn rows_that_were_pruned_between_the_samples_were_stored_all_the_same() {
        let at = |seconds, rows, pruned| {
            let mut status = status(Duration::from_secs(seconds), None, Some(rows), None);
            status.posts.as_mut().expect("there are rows").pruned = pruned;
            status
        };
        assert_eq!(rates(at(0, 1000, 70), at(2, 500, 670)).recorded_per_second, Some(50.0));
    }

    #[test]
    fn what_was_down_in_either_sample_has_no_rate() {
        let later = status(Duration::from_secs(1), Some(5), None, None);
        let rates = rates(status(Duration::ZERO, None, Some(10), None), later);
        assert_eq!((rates.recorded_per_second, rates.queue_growth_per_second), (None, None));
        assert_eq!((rates.accepted_per_second, rates.workers.len()), (None, 0));
    }

    #[test]
    fn accepted_is_what_the_queue_grew_by_and_what_left_it() {
        let at = |seconds, ready, stored: &[u64]| {
            status(Duration::from_secs(seconds), Some(ready), None, Some(workers_of(stored)))
        };
        let rates = rates(at(0, 10, &[100, 200]), at(2, 14, &[110, 230]));
        assert_eq!((rates.accepted_per_second, rates.recorded_per_second), (Some(22.0), Some(20.0)));
        let each: Vec<_> = rates.workers.iter().map(|one| (one.stored_per_second, one.share)).collect();
        assert_eq!(each, [(Some(5.0), Some(0.25)), (Some(15.0), Some(0.75))]);
    }

    #[test]
    fn a_worker_that_was_not_heard_before_has_a_rate_only_if_it_is_new() {
        let later = |stored: &[u64]| status(Duration::from_secs(1), Some(0), None, Some(workers_of(stored)));
        let earlier = || status(Duration::ZERO, Some(0), None, Some(workers_of(&[5])));
        // All of them were started at noon, when the earlier sample was taken.
        assert_eq!(rates(earlier(), later(&[6, 7])).workers[1].stored_per_second, Some(7.0));
        let mut older = earlier();
        older.at += time::Duration::milliseconds(1);
        let rates = rates(older, later(&[6, 7]));
        assert_eq!((rates.workers[1].stored_per_second, rates.accepted_per_second), (None, None));
    }

    #[test]
    fn what_is_down_keeps_its_beginning_for_as_long_as_it_lasts() {
        let unreachable = |seconds: u64| {
            let mut status = status(Duration::from_secs(seconds), None, None, None);
            status.unreachable.push(Unreachable { what: "MySQL", since: status.at, problem: "refused".to_owned() });
            status
        };
        let third = unreachable(4).with_rates_since(&unreachable(2).with_rates_since(&unreachable(0)));
        assert_eq!(third.unreachable[0].since, NOON);
        let back = status(Duration::from_secs(2), None, None, None);
        assert_eq!(unreachable(4).with_rates_since(&back).unreachable[0].since, NOON + Duration::from_secs(4));
    }
}
