//! All dead letters at one moment: their groups, and a line for each of them. While they are read, nobody else sees
//! them, so this happens seldom: they rest ten times as long as it took.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use sluice_rabbit::dead_letters::DeadLetter;
use time::OffsetDateTime;

use super::lines::{Entry, Lines};
use super::searches::Searches;
use super::watched::Source;
use crate::browse::DeadLetters;
use crate::dlq::browse::group::{Group, Groups};
use crate::dlq::select::holds;
use crate::status::dead::Seen;

/// The shortest rest between two looks.
const REST: Duration = Duration::from_secs(20);
/// How many times as long as a look took the rest is.
const TIMES: u32 = 10;
/// A kind is new where all of its dead letters failed first within this time.
const NEW: time::Duration = time::Duration::HOUR;
/// What was seen, if anything was, and why nothing newer was.
#[derive(Clone, Default)]
pub(crate) struct Snapshot {
    /// The latest look that went well.
    pub(crate) set: Option<Arc<DeadLetterSet>>,
    /// Since when looks fail, and why.
    pub(crate) problem: Option<(OffsetDateTime, String)>,
}

/// All dead letters at one moment.
pub(crate) struct DeadLetterSet {
    /// When, UTC.
    pub(crate) at: OffsetDateTime,
    /// How many.
    pub(crate) total: u32,
    /// What `sluice status` says of them.
    pub(crate) seen: Seen,
    /// By kind of failure, the largest first.
    pub(crate) groups: Vec<Group>,
    /// How many are of kinds beyond those.
    pub(crate) others: u32,
    lines: Lines,
    /// What was looked for, in lower case.
    searched: Vec<String>,
}

impl DeadLetterSet {
    /// Each dead letter, the oldest first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.lines.entries()
    }

    /// Which of them contain this text; none where that was not looked for.
    pub(crate) fn containing(&self, text: &str) -> Option<impl Fn(&Entry<'_>) -> bool> {
        let text = text.to_lowercase();
        let search = self.searched.iter().position(|searched| *searched == text)?;
        Some(move |entry: &Entry<'_>| entry.is_found(search))
    }

    /// How many have no line.
    pub(crate) fn without_line(&self) -> usize {
        usize::try_from(self.total).unwrap_or(usize::MAX).saturating_sub(self.lines.len())
    }
}

/// Takes snapshots.
pub(crate) struct SnapshotSource {
    dead: DeadLetters,
    searches: Arc<Searches>,
    last: Snapshot,
}

impl SnapshotSource {
    /// Of these dead letters; each look also looks for these texts.
    pub(crate) fn new(dead: DeadLetters, searches: Arc<Searches>) -> Self {
        Self { dead, searches, last: Snapshot::default() }
    }

    async fn set(&self) -> anyhow::Result<DeadLetterSet> {
        let at = OffsetDateTime::now_utc();
        let (mut seen, mut groups, mut lines) = (Seen::default(), Groups::new(at, Some(at - NEW)), Lines::default());
        let searched = self.searches.wanted();
        let total = self.dead.look(|dead_letter| {
            seen.add(&dead_letter.summary, at);
            lines.add(&dead_letter.summary, found(&searched, &dead_letter));
            groups.count(dead_letter.summary);
            ControlFlow::Continue(())
        });
        let total = total.await?;
        let others = groups.others();
        lines.finish();
        Ok(DeadLetterSet { at, total, seen, groups: groups.sorted(), others, lines, searched })
    }
}

impl Source for SnapshotSource {
    type Value = Snapshot;

    async fn take(&mut self) -> Snapshot {
        self.last = match self.set().await {
            Ok(set) => Snapshot { set: Some(Arc::new(set)), problem: None },
            Err(error) => {
                let since = self.last.problem.as_ref().map_or_else(OffsetDateTime::now_utc, |(since, _)| *since);
                Snapshot { set: self.last.set.clone(), problem: Some((since, format!("{error:#}"))) }
            }
        };
        self.last.clone()
    }

    fn rest(&self, took: Duration) -> Duration {
        if self.last.problem.is_some() { Duration::from_secs(3) } else { REST.max(took * TIMES) }
    }
}

/// Which of these texts a dead letter contains, by their bits.
fn found(texts: &[String], dead_letter: &DeadLetter) -> u8 {
    let bits = texts.iter().enumerate().filter(|(_, text)| holds(text, &dead_letter.summary, dead_letter.body()));
    bits.fold(0, |found, (search, _)| found | 1 << search)
}
