//! Dead letters of one kind: the same failure except for values. A pure function.

use std::collections::HashMap;

use serde::Serialize;
use sluice_core::dead_letter::normalise;
use sluice_core::disposition::Class;
use sluice_rabbit::dead_letters::DeadLetterSummary;
use time::{Duration, OffsetDateTime};

/// How many example ids a group has.
const SAMPLES: usize = 3;
/// The most kinds that are counted separately. Another program may create as many as there are dead letters.
const KINDS: usize = 1000;
/// The longest message of a kind, in characters.
const MESSAGE_MAX_CHARS: usize = 1000;

/// What the dead letters of one fingerprint have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Group {
    /// What they share.
    pub(crate) fingerprint: String,
    /// How many there are.
    pub(crate) count: u32,
    /// How many of them last failed within the hour before browsing: their rate.
    pub(crate) last_hour: u32,
    /// Why they were dead-lettered.
    pub(crate) class: Class,
    /// The failure's short name.
    pub(crate) code: String,
    /// What happened, with values removed; names of columns, keys and the like stay.
    pub(crate) message: String,
    /// When the first of them failed first, UTC, as far as dead letters say.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) first_seen: Option<OffsetDateTime>,
    /// When the last of them failed last, UTC.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) last_seen: Option<OffsetDateTime>,
    /// Whether the kind is new since the given time; `None` without one.
    pub(crate) new: Option<bool>,
    /// The ids of some of them, the oldest first.
    pub(crate) samples: Vec<String>,
}

/// The groups of all dead letters seen so far. Keeps a few lines for each kind, however many dead letters there are.
#[derive(Debug)]
pub(crate) struct Groups {
    now: OffsetDateTime,
    since: Option<OffsetDateTime>,
    by_fingerprint: HashMap<String, Group>,
    /// Dead letters of further kinds.
    others: u32,
}

impl Groups {
    /// No groups yet. A kind is new when all of its dead letters failed first at `since` or later.
    pub(crate) fn new(now: OffsetDateTime, since: Option<OffsetDateTime>) -> Self {
        Self { now, since, by_fingerprint: HashMap::new(), others: 0 }
    }

    /// Counts a dead letter.
    pub(crate) fn count(&mut self, dead_letter: DeadLetterSummary) {
        let (now, since) = (self.now, self.since);
        let DeadLetterSummary { id, first_failed_at, last_failed_at, .. } = dead_letter.clone();
        let Some(group) = self.of(dead_letter) else {
            self.others += 1;
            return;
        };
        group.count += 1;
        group.last_hour += u32::from(last_failed_at.is_some_and(|at| at >= now - Duration::HOUR));
        group.first_seen = earlier(group.first_seen, first_failed_at);
        group.last_seen = group.last_seen.max(last_failed_at);
        if group.samples.len() < SAMPLES {
            group.samples.push(id);
        }
        // A dead letter without a failure time may be an old one.
        if since.is_some_and(|since| first_failed_at.is_none_or(|at| at < since)) {
            group.new = Some(false);
        }
    }

    /// A dead letter that is too old to be counted: its kind is not new.
    pub(crate) fn pass_over(&mut self, dead_letter: DeadLetterSummary) {
        if let Some(group) = self.of(dead_letter) {
            group.new = Some(false);
        }
    }

    /// How many dead letters are of kinds beyond the first thousand.
    pub(crate) fn others(&self) -> u32 {
        self.others
    }

    fn of(&mut self, dead_letter: DeadLetterSummary) -> Option<&mut Group> {
        let DeadLetterSummary { class, code, message, fingerprint, .. } = dead_letter;
        if self.by_fingerprint.len() == KINDS && !self.by_fingerprint.contains_key(&fingerprint) {
            return None;
        }
        let new = self.since.map(|_| true);
        let group = self.by_fingerprint.entry(fingerprint).or_insert_with_key(|fingerprint| Group {
            fingerprint: fingerprint.clone(),
            count: 0,
            last_hour: 0,
            class,
            code,
            message: cut_chars(normalise(&message)),
            first_seen: None,
            last_seen: None,
            new,
            samples: Vec::new(),
        });
        Some(group)
    }

    /// The largest first; of equal ones that which failed last.
    pub(crate) fn sorted(self) -> Vec<Group> {
        let mut groups: Vec<Group> = self.by_fingerprint.into_values().filter(|group| group.count > 0).collect();
        groups.sort_by(|one, other| {
            let by_count = other.count.cmp(&one.count);
            by_count.then(other.last_seen.cmp(&one.last_seen)).then(one.fingerprint.cmp(&other.fingerprint))
        });
        groups
    }
}

fn cut_chars(text: String) -> String {
    match text.char_indices().nth(MESSAGE_MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn earlier(one: Option<OffsetDateTime>, other: Option<OffsetDateTime>) -> Option<OffsetDateTime> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-22 16:00:00 UTC);

    fn dead_letter(id: u32, kind: &str, hours_ago: i64) -> DeadLetterSummary {
        let at = Some(NOW - Duration::hours(hours_ago));
        DeadLetterSummary {
            id: id.to_string(),
            class: Class::Permanent,
            code: "mysql_1406".to_owned(),
            message: format!("Data too long for column '{kind}' at row {id}"),
            fingerprint: kind.to_owned(),
            attempts: 1,
            first_failed_at: at,
            last_failed_at: at,
            worker: "w".to_owned(),
            replays: 0,
            title: None,
            author: None,
            sender: None,
            post: None,
            submitted_at: None,
        }
    }

    fn groups(since: Option<OffsetDateTime>, dead_letters: &[DeadLetterSummary]) -> Vec<Group> {
        let mut groups = Groups::new(NOW, since);
        dead_letters.iter().cloned().for_each(|dead_letter| groups.count(dead_letter));
        groups.sorted()
    }

    #[test]
    fn a_group_counts_its_dead_letters_and_names_a_few() {
        let dead_letters: Vec<_> = (0..5).map(|number| dead_letter(number, "a", i64::from(number))).collect();
        let groups = groups(None, &[dead_letters, vec![dead_letter(9, "b", 2)]].concat());
        assert_eq!((groups.len(), groups[0].count, groups[0].last_hour, groups[1].count), (2, 5, 2, 1));
        assert_eq!(groups[0].samples, ["0", "1", "2"]);
        assert_eq!(groups[0].message, "Data too long for column 'a' at row #");
        assert_eq!((groups[0].first_seen, groups[0].last_seen), (Some(NOW - Duration::hours(4)), Some(NOW)));
        assert_eq!(groups[0].new, None);
    }

    #[test]
    fn a_kind_is_new_when_none_of_its_dead_letters_is_older() {
        let since = Some(NOW - Duration::hours(3));
        let found = groups(since, &[dead_letter(1, "old", 5), dead_letter(2, "old", 1), dead_letter(3, "young", 2)]);
        assert_eq!(found.iter().map(|group| group.new).collect::<Vec<_>>(), [Some(false), Some(true)]);
        let undated = DeadLetterSummary { first_failed_at: None, ..dead_letter(4, "undated", 1) };
        assert_eq!(groups(since, &[undated])[0].new, Some(false), "it may be an old one");
    }

    #[test]
    fn a_dead_letter_too_old_to_be_counted_still_says_that_its_kind_is_known() {
        let mut groups = Groups::new(NOW, Some(NOW));
        groups.pass_over(dead_letter(1, "a", 9));
        groups.pass_over(dead_letter(2, "b", 9));
        groups.count(dead_letter(3, "a", 0));
        let found = groups.sorted();
        assert_eq!((found.len(), found[0].count, found[0].new), (1, 1, Some(false)));
    }

    #[test]
    fn kinds_beyond_the_first_thousand_are_counted_and_not_kept() {
        let mut groups = Groups::new(NOW, None);
        (0..1200).for_each(|number| groups.count(dead_letter(number, &number.to_string(), 0)));
        groups.count(dead_letter(1, "7", 0));
        assert_eq!(groups.others(), 200);
        let found = groups.sorted();
        assert_eq!((found.len(), found[0].fingerprint.as_str(), found[0].count), (1000, "7", 2));
    }

    #[test]
    fn dead_letters_without_a_time_are_counted_all_the_same() {
        let undated = DeadLetterSummary { first_failed_at: None, last_failed_at: None, ..dead_letter(1, "a", 0) };
        let found = groups(None, &[undated]);
        assert_eq!((found[0].count, found[0].last_hour, found[0].first_seen), (1, 0, None));
    }
}
