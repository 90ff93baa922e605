//! Which part of the decisions is reviewed a second time.

use std::str::FromStr;

/// A share of decisions, in hundredths of a per cent. None of them by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Share(u16);

impl Share {
    /// All decisions.
    pub const ALL: Self = Self(10_000);

    /// Whether a decision is drawn. `chance` is drawn from 0 to 9,999, each as likely as the others.
    #[must_use]
    pub fn draws(self, chance: u16) -> bool {
        chance < self.0
    }
}

/// Per cent: `5`, `5%` or `0.25`, from 0 to 100 with at most two decimals.
impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{}` is no share: 0 to 100 per cent, such as 5 or 0.25", text.escape_debug());
        let number = text.trim().strip_suffix('%').unwrap_or(text.trim());
        let (whole, decimals) = number.split_once('.').map_or((number, None), |(whole, rest)| (whole, Some(rest)));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
        let good = digits(whole) && decimals.is_none_or(|decimals| digits(decimals) && decimals.len() <= 2);
        let hundredths = format!("{whole}{:0<2}", decimals.unwrap_or_default());
        let share = hundredths.parse().ok().filter(|share| good && *share <= Self::ALL.0);
        share.map(Self).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_given_in_per_cent_and_draws_as_many() {
        for (text, drawn) in [("0", 0), ("5", 500), ("5%", 500), ("0.25", 25), ("12.5%", 1250), ("100", 10_000)] {
            let share: Share = text.parse().expect(text);
            assert_eq!((0..10_000).filter(|chance| share.draws(*chance)).count(), drawn, "{text}");
        }
        assert_eq!("100".parse(), Ok(Share::ALL));
        for wrong in ["", "-1", "101", "100.01", "0.255", "5.", ".5", "a", "5 %%", "1e2"] {
            assert!(wrong.parse::<Share>().expect_err(wrong).contains("0 to 100"), "{wrong}");
        }
    }
}
