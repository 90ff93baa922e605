//! The circuit breaker: a service that failed so often in a row is left alone for a while, so that posts are not held
//! up by waiting for what will not come.
//!
//! ```text
//!            N failures in a row                 the rest is over: one probe
//!  closed ────────────────────────► open ──────────────────────────────────► half-open
//!    ▲                                ▲                                          │  │
//!    │                                └──────────── the probe failed ────────────┘  │
//!    └───────────────────────────────── the probe was answered ─────────────────────┘
//! ```
//!
//! Pure: the time is an argument. Each request holds a [`Pass`]; an answer counts only where its pass still means
//! something, so that a request from before the circuit opened neither closes it nor keeps it open.

use std::time::{Duration, Instant};

/// When it opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trip {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it stays open before the next probe.
    pub rest: Duration,
}

/// The right to ask once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a pass that is not given back leaves the circuit half-open"]
pub enum Pass {
    /// The circuit was closed.
    Usual,
    /// It is half-open, and this is the one probe.
    Probe,
}

/// How it stands, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Circuit {
    /// Requests are made.
    Closed,
    /// None is.
    Open,
    /// One is, to see.
    HalfOpen,
}

impl Circuit {
    /// Its name in JSON and in text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// The breaker.
#[derive(Debug, Clone)]
pub struct Breaker {
    trip: Trip,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant },
    HalfOpen { probing: bool },
}

impl Breaker {
    /// A closed one.
    #[must_use]
    pub fn new(trip: Trip) -> Self {
        Self { trip, state: State::Closed { failures: 0 } }
    }

    /// Whether nobody may ask now.
    #[must_use]
    pub fn refuses(&self, now: Instant) -> bool {
        match self.state {
            State::Closed { .. } => false,
            State::Open { until } => now < until,
            State::HalfOpen { probing } => probing,
        }
    }

    /// The right to ask now, unless nobody may.
    pub fn admit(&mut self, now: Instant) -> Option<Pass> {
        if self.refuses(now) {
            return None;
        }
        match self.state {
            State::Closed { .. } => Some(Pass::Usual),
            State::Open { .. } | State::HalfOpen { .. } => {
                self.state = State::HalfOpen { probing: true };
                Some(Pass::Probe)
            }
        }
    }

    /// It answered. Tells whether that closed the circuit.
    pub fn answered(&mut self, pass: Pass) -> bool {
        match (self.state, pass) {
            (State::Closed { .. }, _) => {
                self.state = State::Closed { failures: 0 };
                false
            }
            (State::HalfOpen { .. }, Pass::Probe) => {
                self.state = State::Closed { failures: 0 };
                true
            }
            (State::Open { .. }, _) | (State::HalfOpen { .. }, Pass::Usual) => false,
        }
    }

    /// It failed. Tells whether that opened a circuit that was closed.
    pub fn failed(&mut self, pass: Pass, now: Instant) -> bool {
        let open = State::Open { until: now + self.trip.rest };
        match (self.state, pass) {
            (State::Closed { failures }, _) => {
                let failures = failures.saturating_add(1);
                let opens = failures >= self.trip.failures;
                self.state = if opens { open } else { State::Closed { failures } };
                opens
            }
            (State::HalfOpen { .. }, Pass::Probe) => {
                self.state = open;
                false
            }
            (State::Open { .. }, _) | (State::HalfOpen { .. }, Pass::Usual) => false,
        }
    }

    /// The request was given up before anything was known: the next one may probe.
    pub fn given_up(&mut self, pass: Pass) {
        if let (State::HalfOpen { .. }, Pass::Probe) = (self.state, pass) {
            self.state = State::HalfOpen { probing: false };
        }
    }

    /// How it stands.
    #[must_use]
    pub fn circuit(&self) -> Circuit {
        match self.state {
            State::Closed { .. } => Circuit::Closed,
            State::Open { .. } => Circuit::Open,
            State::HalfOpen { .. } => Circuit::HalfOpen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const REST: Duration = Duration::from_secs(30);

    /// One that opened at this moment, after three failures.
    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::new(Trip { failures: 3, rest: REST });
        let opens: Vec<_> = (0..3).map(|_| breaker.failed(Pass::Usual, now)).collect();
        assert_eq!(opens, [false, false, true]);
        breaker
    }

    #[test]
    fn it_rests_then_lets_one_probe_through() {
        let now = Instant::now();
        let mut breaker = opened(now);
        assert_eq!(breaker.admit(now + REST - Duration::from_millis(1)), None);
        assert_eq!(breaker.admit(now + REST), Some(Pass::Probe));
        assert_eq!((breaker.admit(now + REST), breaker.circuit()), (None, Circuit::HalfOpen));
        assert!(breaker.answered(Pass::Probe), "it closed");
        assert_eq!(breaker.admit(now + REST), Some(Pass::Usual));
    }

    #[test]
    fn a_probe_that_fails_opens_it_for_another_rest() {
        let now = Instant::now();
        let mut breaker = opened(now);
        assert_eq!(breaker.admit(now + REST), Some(Pass::Probe));
        assert!(!breaker.failed(Pass::Probe, now + REST), "it was open already");
        assert_eq!(breaker.admit(now + REST), None);
        assert_eq!(breaker.admit(now + 2 * REST), Some(Pass::Probe));
    }

    #[test]
    fn a_probe_that_is_given_up_leaves_its_place_to_the_next() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let probe = breaker.admit(now + REST).expect("the rest is over");
        breaker.given_up(probe);
        assert_eq!(breaker.admit(now + REST), Some(Pass::Probe));
    }

    #[test]
    fn what_was_asked_before_it_opened_changes_nothing() {
        let now = Instant::now();
        let mut breaker = opened(now);
        assert!(!breaker.answered(Pass::Usual));
        assert!(!breaker.failed(Pass::Usual, now + REST / 2));
        assert_eq!(breaker.admit(now + REST), Some(Pass::Probe), "neither closed nor kept open longer");
        assert!(!breaker.answered(Pass::Usual));
        assert_eq!(breaker.circuit(), Circuit::HalfOpen);
    }

    proptest! {
        #[test]
        fn only_failures_in_a_row_open_it(answers in proptest::collection::vec(any::<bool>(), 0..60), limit in 1u32..6) {
            let mut breaker = Breaker::new(Trip { failures: limit, rest: REST });
            let now = Instant::now();
            let mut row = 0;
            for answered in answers {
                if breaker.circuit() != Circuit::Closed {
                    break;
                }
                row = if answered { 0 } else { row + 1 };
                let opened = if answered { breaker.answered(Pass::Usual) } else { breaker.failed(Pass::Usual, now) };
                prop_assert_eq!(opened, row == limit);
                prop_assert_eq!(breaker.circuit() == Circuit::Open, row == limit);
            }
        }
    }
}
