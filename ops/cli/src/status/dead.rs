//! What browsing the dead letters shows: how many of each class, the age of the oldest, and their rate.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use sluice_core::disposition::Class;
use sluice_rabbit::dead_letters::DeadLetterSummary;
use time::{Duration, OffsetDateTime};

use crate::browse::DeadLetters;

/// Up to how many dead letters are browsed by default. While browsing, nobody else sees them.
pub(crate) const USUAL_LOOK: u32 = 10_000;

/// When to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// However many there are.
    Always,
    /// Not at more than these.
    UpTo(u32),
    /// Only their number is needed.
    Never,
    /// Somebody else browses them, and adds what was seen.
    Elsewhere,
}

impl Look {
    /// Why so many dead letters are not browsed; `None` if they are.
    pub(crate) fn refuses(self, dead_letters: u32) -> Option<String> {
        match self {
            Self::Always => None,
            Self::UpTo(most) if dead_letters <= most => None,
            Self::UpTo(most) => Some(format!("more than {most}, so not browsed; use --look to browse them anyway")),
            Self::Never => Some("not browsed (--no-look)".to_owned()),
            Self::Elsewhere => Some("not browsed yet".to_owned()),
        }
    }
}

/// What was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// How many of each class.
    pub(crate) by_class: BTreeMap<Class, u32>,
    /// When the oldest failed last, as far as dead letters say.
    pub(crate) oldest: Option<OffsetDateTime>,
    /// When each of those that failed within the hour before the look did so: the rate at which dead letters come.
    recent: Vec<OffsetDateTime>,
}

impl Seen {
    /// Looks.
    ///
    /// # Errors
    /// When the dead letters cannot be browsed.
    pub(crate) async fn look(dead: &DeadLetters) -> anyhow::Result<Self> {
        let (mut seen, now) = (Self::default(), OffsetDateTime::now_utc());
        dead.look(|dead_letter| {
            seen.add(&dead_letter.summary, now);
            ControlFlow::Continue(())
        })
        .await?;
        Ok(seen)
    }

    /// How many were seen.
    pub(crate) fn total(&self) -> u32 {
        self.by_class.values().sum()
    }

    /// How many failed within the hour before this moment, which is not before the look.
    pub(crate) fn last_hour(&self, now: OffsetDateTime) -> usize {
        self.recent.iter().filter(|at| **at >= now - Duration::HOUR).count()
    }

    /// One more, at a look that began now.
    pub(crate) fn add(&mut self, dead_letter: &DeadLetterSummary, now: OffsetDateTime) {
        self.recent.extend(dead_letter.last_failed_at.filter(|at| *at >= now - Duration::HOUR));
        *self.by_class.entry(dead_letter.class).or_insert(0) += 1;
        self.oldest = match (self.oldest, dead_letter.last_failed_at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_dead_letters_are_looked_at_only_when_asked() {
        assert_eq!(Look::UpTo(10).refuses(10), None);
        assert!(Look::UpTo(10).refuses(11).is_some_and(|note| note.contains("--look")));
        assert_eq!(Look::Always.refuses(u32::MAX), None);
        assert!(Look::Never.refuses(0).is_some());
    }
}
