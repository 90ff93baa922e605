//! How long a delivery that was not taken waits before it is tried again. For ever: no decision is given up.

use std::str::FromStr;
use std::time::Duration;

use sluice_core::config::duration;

/// From which wait on the waits are slow: for an endpoint that answers, and will not take it.
const SLOW: usize = 4;

/// The waits after the first failed try, the second, and so on; the last one is for all that follow.
#[derive(Debug, Clone)]
pub(crate) struct Waits(Vec<Duration>);

impl Default for Waits {
    /// 1 s, 5 s, 30 s, 2 min, 10 min, 1 h, and then each 6 h.
    fn default() -> Self {
        Self([1, 5, 30, 120, 600, 3600, 21_600].map(Duration::from_secs).to_vec())
    }
}

impl FromStr for Waits {
    type Err = String;

    /// Reads `50ms,100ms,1s`.
    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').map(|wait| duration(wait.trim())).collect::<Result<_, _>>().map(Self)
    }
}

impl Waits {
    /// The wait after so many tries that failed before this one. `refused`: the endpoint answered that it will not take
    /// it, which seldom changes within minutes. `chance` from 0 to 1 takes or adds up to a fifth, so that what failed
    /// together does not come again together.
    pub(super) fn after(&self, failed_before: u32, refused: bool, chance: f64) -> Duration {
        let place = usize::try_from(failed_before).unwrap_or(usize::MAX);
        let place = if refused { place.saturating_add(SLOW) } else { place };
        let wait = self.0.get(place).or(self.0.last()).copied().unwrap_or_default();
        wait.mul_f64(0.8 + 0.4 * chance.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_six_hours_and_what_is_refused_begins_at_ten_minutes() {
        let waits = Waits::default();
        let middle = |failed, refused| waits.after(failed, refused, 0.5).as_secs_f64().round();
        let quick: Vec<f64> = (0..9).map(|failed| middle(failed, false)).collect();
        assert_eq!(quick, [1.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 21_600.0, 21_600.0, 21_600.0]);
        let slow: Vec<f64> = (0..4).map(|failed| middle(failed, true)).collect();
        assert_eq!(slow, [600.0, 3600.0, 21_600.0, 21_600.0]);
        assert_eq!(middle(u32::MAX, true), 21_600.0);
    }

    #[test]
    fn chance_takes_or_adds_a_fifth() {
        let waits: Waits = "10s, 20s".parse().expect("two waits");
        assert_eq!(
            (waits.after(0, false, 0.0), waits.after(0, false, 1.0)),
            (Duration::from_secs(8), Duration::from_secs(12))
        );
        assert_eq!(waits.after(7, false, 0.5), Duration::from_secs(20));
        assert!("soon".parse::<Waits>().is_err());
    }
}
