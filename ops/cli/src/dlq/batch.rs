//! Gathering the next letters to act on.

use std::collections::{HashMap, HashSet};

use sluice_rabbit::delivery::{DeadLetter, DeadLetterBrowser};
use tokio_util::sync::CancellationToken;

use super::outcome::{Ending, Report};
use super::piles::Digest;
use super::select::Selection;

/// The most bytes of bodies of a batch; one letter may be larger than this. Bodies go into one statement when they are
/// dropped, and a server may refuse one of 16 MiB.
pub(super) const BYTES: usize = 4 * 1024 * 1024;

/// Which letters the act is about.
pub(super) enum Chosen {
    /// Those that pass.
    Matching(Box<Selection>),
    /// Exactly those that were shown before the question, and the ids asked for that were not there. What has died since
    /// then was not agreed to.
    Shown(Shown, Vec<String>),
}

impl Chosen {
    /// Those that pass.
    pub(super) fn matching(selection: Selection) -> Self {
        Self::Matching(Box::new(selection))
    }

    /// Those that were shown, and the ids asked for that were not there.
    pub(super) fn shown(shown: Shown, unknown: Vec<String>) -> Self {
        Self::Shown(shown, unknown)
    }

    fn takes(&mut self, letter: &DeadLetter) -> bool {
        match self {
            Self::Matching(selection) => selection.takes(&letter.summary, letter.body()),
            Self::Shown(shown, _) => shown.takes(letter),
        }
    }

    /// Chooses letters again that were gathered and not acted on.
    pub(super) fn untake(&mut self, letters: &[DeadLetter]) {
        for letter in letters {
            match self {
                Self::Matching(selection) => selection.untake(),
                Self::Shown(shown, _) => shown.untake(letter),
            }
        }
    }

    fn is_complete(&self) -> bool {
        match self {
            Self::Matching(selection) => selection.is_complete(),
            Self::Shown(shown, _) => shown.counts.values().all(|(_, count)| *count == 0),
        }
    }

    /// The ids that were chosen and not there, once all letters were gathered.
    pub(super) fn unknown(&self) -> Vec<String> {
        match self {
            Self::Matching(selection) => selection.unknown(),
            Self::Shown(shown, unknown) => {
                let gone = shown.counts.values().filter(|(_, count)| *count > 0).map(|(id, _)| id.clone());
                unknown.iter().cloned().chain(gone).collect()
            }
        }
    }
}

/// Letters that were shown: of two with one id and different texts, the one that was shown is meant.
#[derive(Default)]
pub(super) struct Shown {
    /// How many of those that nothing tells apart, and their id.
    counts: HashMap<Digest, (String, u32)>,
    /// Whose content is worth a look.
    ids: HashSet<String>,
}

impl Shown {
    /// One that is shown.
    pub(super) fn add(&mut self, letter: &DeadLetter) {
        let digest = letter.transcript().digest();
        self.counts.entry(digest).or_insert_with(|| (letter.summary.id.clone(), 0)).1 += 1;
        self.ids.insert(letter.summary.id.clone());
    }

    fn takes(&mut self, letter: &DeadLetter) -> bool {
        if !self.ids.contains(&letter.summary.id) {
            return false;
        }
        match self.counts.get_mut(&letter.transcript().digest()) {
            Some((_, count)) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }

    fn untake(&mut self, letter: &DeadLetter) {
        if let Some((_, count)) = self.counts.get_mut(&letter.transcript().digest()) {
            *count += 1;
        }
    }
}

/// Takes letters until a batch of `size` of the chosen ones is together, or there are no more of the `old` ones: those
/// that were there when the act began. Those passed over stay in hand, unanswered, until all are put back; so do those
/// that `skip` picks.
pub(super) async fn gather(
    letters: &mut DeadLetterBrowser,
    chosen: &mut Chosen,
    size: usize,
    old: &mut u32,
    skip: impl Fn(&DeadLetter) -> bool,
    stop: &CancellationToken,
    report: &Report,
) -> Result<Vec<DeadLetter>, Ending> {
    let mut batch = Vec::new();
    let mut bytes = 0;
    while batch.len() < size && bytes < BYTES && *old > 0 && !chosen.is_complete() {
        if stop.is_cancelled() {
            return Err(Ending::Interrupted);
        }
        let next = letters.next().await.map_err(|error| Ending::Stopped(error.to_string()))?;
        let Some(letter) = next else { break };
        *old -= 1;
        report.passed();
        if !skip(&letter) && chosen.takes(&letter) {
            bytes += letter.body().len();
            batch.push(letter);
        }
    }
    Ok(batch)
}
