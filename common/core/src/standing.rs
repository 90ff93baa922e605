//! How an author stands: since when he is known, and what people decided about his posts.

use std::fmt;
use std::time::Duration;

/// So many approved posts make an author known at once.
const APPROVED: u32 = 3;

/// What is known of an author. The default is of whom nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// How long ago he was first seen; none if he never was.
    pub known_for: Option<Duration>,
    /// How many of his posts people approved.
    pub approved: u32,
    /// How many of his posts people rejected.
    pub rejected: u32,
}

impl Standing {
    /// Whether he is a stranger: of whom people rejected more than they approved, or, unless they approved some, who is
    /// known for less than this.
    #[must_use]
    pub fn is_stranger(&self, new: Duration) -> bool {
        self.rejected > self.approved
            || (self.approved < APPROVED && self.known_for.is_none_or(|known_for| known_for < new))
    }
}

impl fmt::Display for Standing {
    /// `first seen 3 minutes ago, people approved 1 and rejected 2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known_for {
            None => f.write_str("not seen before")?,
            Some(ago) => write!(f, "first seen {} ago", rounded(ago))?,
        }
        match (self.approved, self.rejected) {
            (0, 0) => Ok(()),
            (approved, rejected) => write!(f, ", people approved {approved} and rejected {rejected}"),
        }
    }
}

/// A time in whole seconds, minutes, hours or days, rounded down.
fn rounded(time: Duration) -> String {
    let seconds = time.as_secs();
    let (number, unit) = match seconds {
        ..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn a_stranger_is_who_is_new_or_whom_people_rejected_more_often_than_they_approved() {
        let stranger = |known_for, approved, rejected| Standing { known_for, approved, rejected }.is_stranger(DAY);
        let (new, old) = (Some(DAY - Duration::from_micros(1)), Some(DAY));
        for (known_for, approved, rejected, is) in [
            (None, 0, 0, true),
            (new, 0, 0, true),
            (new, 2, 0, true),
            (new, 3, 3, false),
            (old, 0, 0, false),
            (old, 0, 1, true),
            (old, 1, 1, false),
            (old, 3, 4, true),
        ] {
            assert_eq!(stranger(known_for, approved, rejected), is, "{known_for:?} {approved} {rejected}");
        }
        assert!(Standing::default().is_stranger(DAY));
    }

    #[test]
    fn it_is_told_in_words() {
        let told = |seconds: Option<u64>, approved, rejected| {
            Standing { known_for: seconds.map(Duration::from_secs), approved, rejected }.to_string()
        };
        assert_eq!(told(None, 0, 0), "not seen before");
        assert_eq!(told(Some(61), 0, 0), "first seen 1 minute ago");
        assert_eq!(told(Some(7_200), 1, 2), "first seen 2 hours ago, people approved 1 and rejected 2");
        assert_eq!(told(Some(172_800), 0, 1), "first seen 2 days ago, people approved 0 and rejected 1");
    }
}
