//! A text of which it is known whether it should be flagged, as far as weights and thresholds are concerned.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest as _, Sha256};

use crate::RuleSet;

/// Which rules match a text, and whether it should be flagged.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Rules, each with how often its weight counts: once for each of a list's terms.
    pub(super) matched: Vec<(usize, u32)>,
    pub(super) flag: bool,
    /// The same for the same text.
    text: [u8; 16],
}

impl RuleSet {
    /// What the rules find in a text that should be flagged, or should not.
    #[must_use]
    pub fn sample(&self, title: &str, text: &str, flag: bool) -> Sample {
        let mut counted = BTreeMap::new();
        self.matched(title, text).into_iter().for_each(|rule| *counted.entry(rule).or_insert(0) += 1);
        let digest = Sha256::new().chain_update(title).chain_update([0]).chain_update(text).finalize();
        let mut name = [0; 16];
        name.copy_from_slice(&digest[..16]);
        Sample { matched: counted.into_iter().collect(), flag, text: name }
    }
}

impl Sample {
    /// Which of the folds it is in: that of its text, so that no copy of it is in another one.
    pub(super) fn fold(&self, folds: u8) -> u8 {
        self.text[0] % folds
    }
}

/// How many texts should be flagged by one row and should not by another.
pub(super) fn in_both(samples: &[Sample]) -> usize {
    let mut classes: HashMap<[u8; 16], [bool; 2]> = HashMap::new();
    samples.iter().for_each(|sample| classes.entry(sample.text).or_default()[usize::from(sample.flag)] = true);
    classes.values().filter(|classes| **classes == [true, true]).count()
}
