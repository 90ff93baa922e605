//! How long somebody has worked without a pause, from their decisions.

use sluice_core::failure::Failure;
use sluice_mysql::Store;
use time::OffsetDateTime;

use super::settings::Comfort;

/// A time without a decision that counts as a pause, in milliseconds.
const PAUSE: u64 = 15 * MINUTE;
/// A minute, in milliseconds.
const MINUTE: u64 = 60_000;
/// The most decisions that are looked at.
const LOOKED_AT: u32 = 500;

/// Work without a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Cases decided.
    pub(crate) cases: u32,
    /// Minutes since the first of them.
    pub(crate) minutes: u64,
}

impl Stretch {
    /// The present one, if a break is to be offered.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn long(store: &Store, name: &str, comfort: &Comfort) -> Result<Option<Self>, Failure> {
        if comfort.cases == 0 && comfort.minutes == 0 {
            return Ok(None);
        }
        let since = milliseconds(OffsetDateTime::now_utc()).saturating_sub(comfort.answered);
        let ages = store.decided_ages(name, LOOKED_AT).await?;
        let stretch = Self::of(&ages, since);
        Ok(Some(stretch).filter(|stretch| stretch.is_long(comfort)))
    }

    /// Of decisions of these ages in milliseconds, the latest first; those made longer ago than `since` do not count.
    fn of(ages: &[u64], since: u64) -> Self {
        let mut stretch = Self { cases: 0, minutes: 0 };
        let mut before = 0;
        for age in ages.iter().take_while(|age| **age < since) {
            if age.saturating_sub(before) > PAUSE {
                break;
            }
            before = *age;
            stretch = Self { cases: stretch.cases + 1, minutes: age / MINUTE };
        }
        stretch
    }

    fn is_long(self, comfort: &Comfort) -> bool {
        let Comfort { cases, minutes, .. } = *comfort;
        (cases > 0 && self.cases >= cases) || (minutes > 0 && self.minutes >= u64::from(minutes))
    }
}

/// A moment as it is kept: since 1970.
pub(super) fn milliseconds(at: OffsetDateTime) -> u64 {
    u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_ends_at_a_pause_and_at_an_offer_that_was_answered() {
        let of = |ages: &[u64], since| Stretch::of(ages, since);
        assert_eq!(of(&[], u64::MAX), Stretch { cases: 0, minutes: 0 });
        assert_eq!(
            of(&[MINUTE, 10 * MINUTE, 20 * MINUTE, 20 * MINUTE + PAUSE + 1], u64::MAX),
            Stretch { cases: 3, minutes: 20 }
        );
        assert_eq!(of(&[MINUTE, 10 * MINUTE, 20 * MINUTE], 11 * MINUTE), Stretch { cases: 2, minutes: 10 });
        assert_eq!(of(&[PAUSE + 1, PAUSE + 2], u64::MAX), Stretch { cases: 0, minutes: 0 }, "the pause is now");
    }

    #[test]
    fn a_break_is_offered_after_so_many_cases_or_minutes_and_never_at_0() {
        let long = |cases, minutes| {
            Stretch { cases: 40, minutes: 30 }.is_long(&Comfort { cases, minutes, ..Comfort::default() })
        };
        assert!(long(40, 0) && long(0, 30) && long(99, 30));
        assert!(!long(0, 0) && !long(41, 31));
    }
}
