//! What is done with a delivery, given the outcome of an attempt. Pure: the whole table of the design in one `match`.

pub use crate::class::Class;
use crate::failure::{Failure, Kind};

/// Which posts a failure concerns. Its code does not decide that: a lock on the table and a lock on one row have the
/// same code, and so have a missing table and a trigger that names a missing table for a single author. Inserting a
/// plain row decides it ([`blame`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// This post alone.
    Post,
    /// Every post: a plain row fails as well, or MySQL is down.
    EveryPost,
}

/// Which posts a failure concerns, given the result of inserting a plain row and rolling it back.
///
/// A plain row with a permanent failure (a width, a CHECK, a trigger's SIGNAL) of another code than the post's only
/// does not suit this table itself.
#[must_use]
pub fn blame(failure: &Failure, plain: &Result<(), Failure>) -> Blame {
    match plain {
        Ok(()) => Blame::Post,
        Err(plain) if plain.kind == Kind::Permanent && plain.code != failure.code => Blame::Post,
        Err(_) => Blame::EveryPost,
    }
}

/// The outcome of one attempt at a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The post is in MySQL, by this attempt or by an earlier one.
    Recorded,
    /// It is not, for this reason, which concerns these posts.
    Failed(Failure, Blame),
    /// It was not attempted, because it has come back this often.
    Redelivered {
        /// Deliveries before this one, as the broker counts them.
        deliveries: u64,
    },
    /// The work was cut short: by a shutdown, by a pause that lasted too long, or because the session ended.
    Interrupted,
}

/// What is done with the delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// Acknowledge it.
    Ack,
    /// Dead-letter it with the reason.
    DeadLetter(Class, Failure),
    /// Keep it in flight, wait by the backoff schedule, retry. An attempt was spent.
    Retry(Failure),
    /// Close the gate and keep it in flight until posts can be stored again; no attempt is spent.
    Hold(Failure),
    /// Release it to the queue; no attempt is spent.
    Release,
}

/// Decides. `another_attempt` says whether the retry policy allows one more after this one.
#[must_use]
pub fn decide(outcome: Outcome, another_attempt: bool) -> Disposition {
    match outcome {
        Outcome::Recorded => Disposition::Ack,
        Outcome::Interrupted => Disposition::Release,
        Outcome::Redelivered { deliveries } => Disposition::DeadLetter(Class::CrashLoop, redeliveries(deliveries)),
        Outcome::Failed(failure, Blame::EveryPost) => Disposition::Hold(failure),
        Outcome::Failed(failure, Blame::Post) => match (failure.kind, another_attempt) {
            (Kind::Permanent, _) => Disposition::DeadLetter(Class::Permanent, failure),
            (Kind::Transient | Kind::Dependency | Kind::Operator, true) => Disposition::Retry(failure),
            (Kind::Transient | Kind::Dependency | Kind::Operator, false) => {
                Disposition::DeadLetter(Class::Exhausted, failure)
            }
        },
    }
}

/// The failure of a post in a crash loop, whose real failure is unknown.
fn redeliveries(deliveries: u64) -> Failure {
    Failure::new(
        Kind::Permanent,
        "crash_loop",
        format!("came back {deliveries} times unanswered: each worker that took it died or lost its connection"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KINDS: [Kind; 4] = [Kind::Permanent, Kind::Transient, Kind::Dependency, Kind::Operator];

    fn failure(kind: Kind, code: &str) -> Failure {
        Failure::new(kind, code, "message")
    }

    fn failed(kind: Kind, blame: Blame) -> Outcome {
        Outcome::Failed(failure(kind, "code"), blame)
    }

    fn kinds() -> impl Strategy<Value = Kind> {
        proptest::sample::select(&KINDS[..])
    }

    fn outcomes() -> impl Strategy<Value = Outcome> {
        prop_oneof![
            Just(Outcome::Recorded),
            Just(Outcome::Interrupted),
            any::<u64>().prop_map(|deliveries| Outcome::Redelivered { deliveries }),
            kinds().prop_map(|kind| failed(kind, Blame::Post)),
            kinds().prop_map(|kind| failed(kind, Blame::EveryPost)),
        ]
    }

    proptest! {
        #[test]
        fn only_a_recorded_post_is_acknowledged(outcome in outcomes(), another in any::<bool>()) {
            let recorded = outcome == Outcome::Recorded;
            prop_assert_eq!(decide(outcome, another) == Disposition::Ack, recorded);
        }

        #[test]
        fn what_hits_every_post_is_never_held_against_one_whatever_its_code(
            kind in kinds(), another in any::<bool>(),
        ) {
            prop_assert!(matches!(decide(failed(kind, Blame::EveryPost), another), Disposition::Hold(_)));
        }

        #[test]
        fn what_hits_one_post_never_closes_the_gate_whatever_its_code(kind in kinds(), another in any::<bool>()) {
            prop_assert!(!matches!(decide(failed(kind, Blame::Post), another), Disposition::Hold(_)));
        }

        #[test]
        fn nothing_waits_for_ever_without_an_attempt_left(outcome in outcomes()) {
            prop_assert!(!matches!(decide(outcome, false), Disposition::Retry(_)));
        }

        #[test]
        fn a_plain_row_that_is_stored_leaves_the_blame_with_the_post(kind in kinds()) {
            prop_assert_eq!(blame(&failure(kind, "code"), &Ok(())), Blame::Post);
        }

        #[test]
        fn a_plain_row_that_fails_the_same_way_takes_the_blame_from_the_post(kind in kinds()) {
            let plain = Err(failure(kind, "code"));
            prop_assert_eq!(blame(&failure(kind, "code"), &plain), Blame::EveryPost);
        }
    }

    #[test]
    fn a_plain_row_that_only_does_not_suit_the_table_says_nothing_about_posts() {
        let plain = |kind| Err(failure(kind, "another"));
        assert_eq!(blame(&failure(Kind::Permanent, "code"), &plain(Kind::Permanent)), Blame::Post);
        // While MySQL is down or another lock is held, nothing is known yet.
        for kind in [Kind::Transient, Kind::Dependency, Kind::Operator] {
            assert_eq!(blame(&failure(Kind::Permanent, "code"), &plain(kind)), Blame::EveryPost);
        }
    }

    #[test]
    fn a_permanent_failure_is_dead_lettered_at_once_though_attempts_are_left() {
        let settled = decide(failed(Kind::Permanent, Blame::Post), true);
        assert!(matches!(settled, Disposition::DeadLetter(Class::Permanent, _)));
    }

    #[test]
    fn any_other_failure_of_one_post_is_tried_again_and_then_exhausted() {
        for kind in [Kind::Transient, Kind::Dependency, Kind::Operator] {
            assert!(matches!(decide(failed(kind, Blame::Post), true), Disposition::Retry(_)));
            let spent = decide(failed(kind, Blame::Post), false);
            assert!(matches!(spent, Disposition::DeadLetter(Class::Exhausted, _)));
        }
    }

    #[test]
    fn what_was_cut_short_goes_back() {
        assert_eq!(decide(Outcome::Interrupted, false), Disposition::Release);
    }

    #[test]
    fn what_came_back_too_often_is_a_crash_loop() {
        let class = |disposition| match disposition {
            Disposition::DeadLetter(class, failure) => (class, failure.code),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            class(decide(Outcome::Redelivered { deliveries: 5 }, true)),
            (Class::CrashLoop, "crash_loop".to_owned())
        );
    }
}
