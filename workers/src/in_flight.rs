//! What is in flight: how many posts, and when the oldest of them was submitted. An operator wants to know how old the
//! backlog is. The broker does not report the age of messages in a quorum queue, but the timestamp of a post in flight
//! shows it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

/// The posts in flight of one process.
#[derive(Debug, Default)]
pub struct InFlight(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    count: u32,
    /// How many were submitted at each second; without those that do not say when.
    submitted: BTreeMap<i64, u32>,
    oldest: Option<i64>,
}

/// One post in flight, until this is dropped.
#[derive(Debug)]
pub struct InFlightGuard<'a> {
    in_flight: &'a InFlight,
    submitted: Option<i64>,
}

impl InFlight {
    /// Adds a post in flight; `submitted` is the message's own timestamp, if it has one.
    pub fn take(&self, submitted: Option<OffsetDateTime>) -> InFlightGuard<'_> {
        let submitted = submitted.map(OffsetDateTime::unix_timestamp);
        let mut held = self.held();
        held.count += 1;
        if let Some(second) = submitted {
            *held.submitted.entry(second).or_insert(0) += 1;
        }
        held.look();
        InFlightGuard { in_flight: self, submitted }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.held().count
    }

    /// When the oldest was submitted; with none in flight, the one that was the oldest before it emptied.
    #[must_use]
    pub fn oldest(&self) -> Option<OffsetDateTime> {
        self.held().oldest.and_then(|second| OffsetDateTime::from_unix_timestamp(second).ok())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing in here can panic halfway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn look(&mut self) {
        if let Some((second, _)) = self.submitted.first_key_value() {
            self.oldest = Some(*second);
        }
        metrics::gauge!("sluice_posts_in_flight").set(self.count);
        metrics::gauge!("sluice_oldest_post_submitted_timestamp_seconds").set(self.oldest.unwrap_or(0) as f64);
    }
}

impl Drop for InFlightGuard<'_> {
    fn drop(&mut self) {
        let mut held = self.in_flight.held();
        held.count -= 1;
        if let Some(second) = self.submitted
            && let Some(posts) = held.submitted.get_mut(&second)
        {
            *posts -= 1;
            if *posts == 0 {
                held.submitted.remove(&second);
            }
        }
        held.look();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Option<OffsetDateTime> {
        OffsetDateTime::from_unix_timestamp(second).ok()
    }

    #[test]
    fn the_oldest_in_flight_is_known_whatever_the_order() {
        let in_flight = InFlight::default();
        let (young, old, same, silent) =
            (in_flight.take(at(30)), in_flight.take(at(10)), in_flight.take(at(10)), in_flight.take(None));
        assert_eq!((in_flight.count(), in_flight.oldest()), (4, at(10)));
        drop(old);
        assert_eq!(in_flight.oldest(), at(10), "another one is as old");
        drop((same, silent));
        assert_eq!((in_flight.count(), in_flight.oldest()), (1, at(30)));
        drop(young);
        assert_eq!(
            (in_flight.count(), in_flight.oldest()),
            (0, at(30)),
            "what waits is not older than what was had last"
        );
    }
}
