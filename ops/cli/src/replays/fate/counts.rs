//! How many dead letters of a replay had which outcome.

use super::Fate;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts([u32; Self::NAMES.len()]);

impl Counts {
    pub(super) const NAMES: [&'static str; 8] = [
        "recorded",
        "already_recorded",
        "failed_again",
        "waiting",
        "replayed_again",
        "dropped",
        "left",
        "not_replayed",
    ];

    pub(crate) fn add(&mut self, fate: &Fate) {
        self.0[fate.place()] += 1;
    }

    /// Those that failed again, whatever was done with them since.
    pub(crate) fn failed_again(&self) -> u32 {
        self.0[2] + self.0[4] + self.0[5]
    }

    pub(crate) fn total(&self) -> u32 {
        self.0.iter().sum()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        Self::NAMES.into_iter().zip(self.0).collect::<std::collections::BTreeMap<_, _>>().into_iter().collect()
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let some = Self::NAMES.into_iter().zip(self.0).filter(|(_, count)| *count > 0);
        let some: Vec<String> = some.map(|(name, count)| format!("{count} {}", name.replace('_', " "))).collect();
        f.write_str(if some.is_empty() { "none" } else { "" })?;
        f.write_str(&some.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_name_what_there_is() {
        let mut counts = Counts::default();
        assert_eq!(counts.to_string(), "none");
        for fate in [Fate::Recorded, Fate::Recorded, Fate::ReplayedAgain("later".to_owned()), Fate::Waiting] {
            counts.add(&fate);
        }
        assert_eq!(counts.to_string(), "2 recorded, 1 waiting, 1 replayed again");
        assert_eq!((counts.total(), counts.failed_again()), (4, 1));
    }
}
