//! Gathering the next dead letters to act on.

use std::collections::{HashMap, HashSet};

use sluice_rabbit::dead_letters::{DeadLetter, DeadLetterBrowser, Digest};
use tokio_util::sync::CancellationToken;

use crate::dlq::report::outcome::Ending;
use crate::dlq::report::reporter::Reporter;
use crate::dlq::select::Selection;

/// The most bytes of bodies of a batch; one dead letter may be larger than this. Bodies go into one statement when they
/// are dropped, and a server may refuse one of 16 MiB.
pub(crate) const BYTES: usize = 4 * 1024 * 1024;

/// The dead letters that the operation acts on.
pub(crate) enum Chosen {
    /// Those that pass the filters.
    Matching(Box<Selection>),
    /// Exactly those that were shown before the confirmation, and the ids asked for that do not exist. Dead letters that
    /// came since then were not confirmed.
    Shown(Shown, Vec<String>),
}

impl Chosen {
    pub(crate) fn matching(selection: Selection) -> Self {
        Self::Matching(Box::new(selection))
    }

    pub(crate) fn shown(shown: Shown, unknown: Vec<String>) -> Self {
        Self::Shown(shown, unknown)
    }

    fn takes(&mut self, dead_letter: &DeadLetter) -> bool {
        match self {
            Self::Matching(selection) => selection.takes(&dead_letter.summary, dead_letter.body()),
            Self::Shown(shown, _) => shown.takes(dead_letter),
        }
    }

    /// Selects dead letters again that were gathered but not acted on.
    pub(crate) fn untake(&mut self, dead_letters: &[DeadLetter]) {
        for dead_letter in dead_letters {
            match self {
                Self::Matching(selection) => selection.untake(),
                Self::Shown(shown, _) => shown.untake(dead_letter),
            }
        }
    }

    fn is_complete(&self) -> bool {
        match self {
            Self::Matching(selection) => selection.is_complete(),
            Self::Shown(shown, _) => shown.counts.values().all(|(_, count)| *count == 0),
        }
    }

    /// The ids that were chosen and do not exist, once all dead letters were gathered.
    pub(crate) fn unknown(&self) -> Vec<String> {
        match self {
            Self::Matching(selection) => selection.unknown(),
            Self::Shown(shown, unknown) => {
                let gone = shown.counts.values().filter(|(_, count)| *count > 0).map(|(id, _)| id.clone());
                unknown.iter().cloned().chain(gone).collect()
            }
        }
    }
}

/// Dead letters that were shown: of two with one id and different content, only the one that was shown.
#[derive(Default)]
pub(crate) struct Shown {
    /// How many identical ones, and their id.
    counts: HashMap<Digest, (String, u32)>,
    /// The ids, so that a digest is computed only where it may match.
    ids: HashSet<String>,
}

impl Shown {
    pub(crate) fn add(&mut self, dead_letter: &DeadLetter) {
        let digest = dead_letter.transcript().digest();
        self.counts.entry(digest).or_insert_with(|| (dead_letter.summary.id.clone(), 0)).1 += 1;
        self.ids.insert(dead_letter.summary.id.clone());
    }

    fn takes(&mut self, dead_letter: &DeadLetter) -> bool {
        if !self.ids.contains(&dead_letter.summary.id) {
            return false;
        }
        match self.counts.get_mut(&dead_letter.transcript().digest()) {
            Some((_, count)) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }

    fn untake(&mut self, dead_letter: &DeadLetter) {
        if let Some((_, count)) = self.counts.get_mut(&dead_letter.transcript().digest()) {
            *count += 1;
        }
    }
}

/// Receives dead letters until there is a batch of `size` of the chosen ones, or there are no more of the `old` ones:
/// those that were there when the operation began. All others, and those that `skip` picks, stay in flight until they
/// are put back.
pub(crate) async fn gather(
    dead_letters: &mut DeadLetterBrowser,
    chosen: &mut Chosen,
    size: usize,
    old: &mut u32,
    skip: impl Fn(&DeadLetter) -> bool,
    stop: &CancellationToken,
    report: &Reporter,
) -> Result<Vec<DeadLetter>, Ending> {
    let mut batch = Vec::new();
    let mut bytes = 0;
    while batch.len() < size && bytes < BYTES && *old > 0 && !chosen.is_complete() {
        if stop.is_cancelled() {
            return Err(Ending::Interrupted);
        }
        let next = dead_letters.next().await.map_err(|error| Ending::Stopped(error.to_string()))?;
        let Some(dead_letter) = next else { break };
        *old -= 1;
        report.passed();
        if !skip(&dead_letter) && chosen.takes(&dead_letter) {
            bytes += dead_letter.body().len();
            batch.push(dead_letter);
        }
    }
    Ok(batch)
}
