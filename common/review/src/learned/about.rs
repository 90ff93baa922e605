//! What a scorer says of itself: from what it was learnt, when, and what its folds say of it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::Rates;

/// The fewest texts that show anything.
const TEXTS_MIN: usize = 200;
/// The fewest of each class.
const CLASS_MIN: usize = 50;
/// The least share of what should be flagged that it has to find, as far as its folds are certain of it.
const FOUND_MIN: f64 = 0.5;

/// From what a scorer was learnt, and what to expect of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// When it was learnt, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub learned_at: OffsetDateTime,
    /// How many texts should be flagged.
    pub flagged: usize,
    /// How many should not.
    pub clean: usize,
    /// How many more there were that said the same as another one.
    pub copies: usize,
    /// How many groups of near copies these texts are.
    pub groups: usize,
    /// The greatest share of false alarms that was wanted, from 0 to 1.
    pub wanted: f64,
    /// What to expect: each text counted by a scorer that learnt without it and its near copies.
    pub by_folds: Rates,
}

impl About {
    /// Why it may not hold posts yet; `None`: it may.
    #[must_use]
    pub fn doubt(&self) -> Option<String> {
        let Self { flagged, clean, wanted, by_folds, .. } = self;
        // The share of false alarms of fewer clean texts cannot be told to be so small.
        let clean_min = CLASS_MIN.max((1.0 / wanted - 1.0).ceil() as usize);
        if *flagged < CLASS_MIN || *clean < clean_min || flagged + clean < TEXTS_MIN {
            return Some(format!(
                "it learnt from {flagged} texts to be flagged and {clean} clean ones; at least {CLASS_MIN} and \
                 {clean_min}, {TEXTS_MIN} together, are needed"
            ));
        }
        let [least, _] = by_folds.found.interval();
        if least < FOUND_MIN {
            return Some(format!(
                "by its folds it finds {:.1} % of what it should, and maybe no more than {:.1} %; {:.0} % are needed",
                100.0 * by_folds.found.value(),
                100.0 * least,
                100.0 * FOUND_MIN
            ));
        }
        let [least, _] = by_folds.false_alarms.interval();
        (least > *wanted).then(|| {
            format!(
                "by its folds {:.1} % of the clean texts are false alarms; {} % are wanted",
                100.0 * by_folds.false_alarms.value(),
                100.0 * wanted
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Share;
    use time::macros::datetime;

    fn about(flagged: usize, clean: usize, found: usize, false_alarms: usize) -> About {
        About {
            learned_at: datetime!(2026-11-30 12:00 UTC),
            flagged,
            clean,
            copies: 0,
            groups: flagged + clean,
            wanted: 0.01,
            by_folds: Rates {
                found: Share { hits: found, of: flagged },
                false_alarms: Share { hits: false_alarms, of: clean },
            },
        }
    }

    #[test]
    fn it_may_hold_posts_once_its_folds_show_that_it_is_good_enough() {
        assert_eq!(about(200, 300, 190, 4).doubt(), None, "four of 300 may be one in a hundred");
        for (about, why) in [
            (about(40, 400, 40, 0), "it learnt from 40 texts to be flagged and 400 clean ones; at least 50 and 99"),
            (about(300, 60, 300, 0), "it learnt from 300 texts to be flagged and 60 clean ones"),
            (about(50, 100, 50, 0), "200 together, are needed"),
            (about(200, 300, 105, 0), "by its folds it finds 52.5 % of what it should, and maybe no more than 45.6 %"),
            (about(200, 300, 190, 12), "by its folds 4.0 % of the clean texts are false alarms; 1 % are wanted"),
        ] {
            assert!(about.doubt().is_some_and(|doubt| doubt.contains(why)), "{:?}: {why}", about.doubt());
        }
    }
}
