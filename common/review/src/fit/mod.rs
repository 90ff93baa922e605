//! Weights and thresholds from data: what they would have to be for the most of the texts that should be flagged to be
//! flagged, with no more false alarms than somebody wants.
//!
//! ```text
//!  rows ──review──► samples: which rules match ─┬─ four folds ─► search ─► counted on the fifth, five times
//!                                               └─ all ────────► search ─► proposed
//! ```
//!
//! The figures that count are those by folds: each row is counted by weights that were found without it. Nothing is
//! changed: people decide what to do with a proposal.

mod rates;
mod sample;
mod search;

use std::fmt;

pub use self::rates::{Rates, Share};
pub use self::sample::Sample;
use self::search::Ground;
use super::RuleSet;

/// The fewest rows of each class: the share of fewer says nothing.
const ROWS_MIN: usize = 20;
/// How many folds.
const FOLDS: u8 = 5;

/// What is proposed, and what to expect of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// With the weights and thresholds as they are.
    pub now: Rates,
    /// What to expect: each row counted by a proposal made without it.
    pub by_folds: Rates,
    /// On the very rows that the proposal was made from.
    pub on_the_same: Rates,
    /// The changes of rules' weights.
    pub weights: Vec<Change>,
    /// The changes of the sums from which categories hold.
    pub holds: Vec<Change>,
}

/// One proposed change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The rule's id or the category's name.
    pub name: String,
    /// What it is now.
    pub now: u32,
    /// What is proposed.
    pub proposed: u32,
    /// In how many rows that should be flagged it matches.
    pub in_flagged: usize,
    /// In how many that should not.
    pub in_clean: usize,
}

/// Why nothing can be proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// Too few rows of a class.
    TooFew {
        /// How many rows should be flagged.
        flagged: usize,
        /// How many should not.
        clean: usize,
    },
    /// So many texts are there as both.
    Both(usize),
}

impl std::error::Error for Unfit {}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFew { flagged, clean } => write!(
                f,
                "too few rows: {flagged} to be flagged and {clean} clean ones; at least {ROWS_MIN} of each are needed"
            ),
            Self::Both(texts) => {
                write!(f, "{texts} texts are to be flagged in one row and clean in another: decide which")
            }
        }
    }
}

impl RuleSet {
    /// What would find the most of these rows with at most this share (0 to 1) of false alarms. Only rules of the file
    /// itself get other weights, and none that rejects by itself.
    ///
    /// # Errors
    /// [`Unfit`], when the rows are too few or contradict one another.
    pub fn fit(&self, samples: &[Sample], wanted: f64) -> Result<Fit, Unfit> {
        let flagged = samples.iter().filter(|sample| sample.flag).count();
        let clean = samples.len() - flagged;
        if flagged < ROWS_MIN || clean < ROWS_MIN {
            return Err(Unfit::TooFew { flagged, clean });
        }
        match sample::in_both(samples) {
            0 => {}
            texts => return Err(Unfit::Both(texts)),
        }
        let ground = Ground::new(&self.categories, &self.rules, self.own);
        let now = ground.as_it_is();
        let all: Vec<&Sample> = samples.iter().collect();
        let proposed = ground.search(&all, wanted);
        let mut by_folds = Rates::default();
        for fold in 0..FOLDS {
            let (held_back, others): (Vec<_>, Vec<_>) = all.iter().partition(|sample| sample.fold(FOLDS) == fold);
            by_folds += ground.rates(&held_back, &ground.search(&others, wanted));
        }
        Ok(Fit {
            now: ground.rates(&all, &now),
            by_folds,
            on_the_same: ground.rates(&all, &proposed),
            weights: self.changes(
                &now.weights,
                &proposed.weights,
                samples,
                |rule| &self.rules[rule].id,
                |rule, found| rule == found,
            ),
            holds: self.changes(
                &now.holds,
                &proposed.holds,
                samples,
                |category| &self.categories[category].name,
                |category, found| self.rules[found].category == category,
            ),
        })
    }

    /// What differs, and how often it matched. `is`: whether a rule that matched is one of what changes.
    fn changes<'a>(
        &'a self,
        now: &[u32],
        proposed: &[u32],
        samples: &[Sample],
        name: impl Fn(usize) -> &'a String,
        is: impl Fn(usize, usize) -> bool,
    ) -> Vec<Change> {
        let changed = (0..now.len()).filter(|nth| now[*nth] != proposed[*nth]);
        let change = |nth: usize| {
            let rows = |flag: bool| {
                let of_class = samples.iter().filter(|sample| sample.flag == flag);
                of_class.filter(|sample| sample.matched.iter().any(|(rule, _)| is(nth, *rule))).count()
            };
            let (in_flagged, in_clean) = (rows(true), rows(false));
            Change { name: name(nth).clone(), now: now[nth], proposed: proposed[nth], in_flagged, in_clean }
        };
        changed.map(change).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
        [categories.spam]
        hold = 50
        [[list]]
        id = "offer"
        category = "spam"
        weight = 30
        terms = ["gnome sale"]
        [[list]]
        id = "greeting"
        category = "spam"
        weight = 50
        terms = ["good morning"]
    "#;

    fn samples(rules: &RuleSet, rows: &[(&str, bool, usize)]) -> Vec<Sample> {
        let rows =
            rows.iter().flat_map(|(text, flag, times)| (0..*times).map(move |nth| (format!("{text} {nth}"), *flag)));
        rows.map(|(text, flag)| rules.sample("", &text, flag)).collect()
    }

    #[test]
    fn what_is_said_by_spammers_alone_gets_heavier_and_what_all_say_lighter() {
        let rules = RuleSet::parse(RULES, "r.toml").expect("valid rules");
        let samples =
            samples(&rules, &[("gnome sale", true, 40), ("good morning", false, 40), ("a good morning", true, 9)]);
        let fit = rules.fit(&samples, 0.01).expect("enough rows");
        assert_eq!((fit.now.found.hits, fit.now.false_alarms.hits), (9, 40));
        assert_eq!((fit.by_folds.found.hits, fit.by_folds.false_alarms.hits), (40, 0));
        let changes: Vec<_> =
            fit.weights.iter().map(|change| (change.name.as_str(), change.now, change.proposed)).collect();
        assert!(matches!(changes[..], [("offer", 30, 50..), ("greeting", 50, ..50)]), "{changes:?}");
        assert_eq!((fit.weights[1].in_flagged, fit.weights[1].in_clean), (9, 40));
    }

    #[test]
    fn rows_of_which_nothing_can_be_learnt_are_refused_with_their_numbers() {
        let rules = RuleSet::parse(RULES, "r.toml").expect("valid rules");
        let few = samples(&rules, &[("gnome sale", true, 10), ("hello", false, 30)]);
        assert_eq!(rules.fit(&few, 0.01), Err(Unfit::TooFew { flagged: 10, clean: 30 }));
        let both = samples(&rules, &[("hello", true, 30), ("hello", false, 25)]);
        assert_eq!(rules.fit(&both, 0.01), Err(Unfit::Both(25)));
    }
}
