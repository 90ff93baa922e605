//! Waits until the outcomes of a replay are known.
//!
//! Asked at growing intervals: first MySQL alone, and the dead letters only for what is not stored and only if there
//! are any, because browsing has all of them in flight for a moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sluice_mysql::{PastItem, Store};
use tokio::time::Instant;

use super::PAGE;
use super::fate::{Counts, DiedAgain, Fate, Reason, fates};
use crate::browse::DeadLetters;
use crate::depths::Depths;
use crate::visible::line;

/// The first wait between two questions, and the longest.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// The dead letters of one replay whose outcomes are awaited.
pub(crate) struct Watch<'a> {
    store: &'a Store,
    dead: &'a DeadLetters,
    replay: &'a str,
    waiting: Vec<PastItem>,
    /// The known outcomes.
    pub(crate) known: Counts,
    /// How many failed again, by the reason.
    pub(crate) failures: BTreeMap<Arc<Reason>, u32>,
}

impl<'a> Watch<'a> {
    /// Those that the audit log holds by now.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn begin(store: &'a Store, dead: &'a DeadLetters, replay: &'a str) -> anyhow::Result<Self> {
        let mut waiting = Vec::new();
        loop {
            let after = waiting.last().map_or(0, |dead_letter: &PastItem| dead_letter.number);
            let page = store.items_of(replay, after, PAGE).await.map_err(|failure| store.with_context(failure))?;
            if page.is_empty() {
                return Ok(Self { store, dead, replay, waiting, known: Counts::default(), failures: BTreeMap::new() });
            }
            waiting.extend(page);
        }
    }

    /// How many were replayed, before any outcome is known.
    pub(crate) fn sent(&self) -> u32 {
        let sent = self.waiting.iter().filter(|dead_letter| dead_letter.outcome == "replayed").count();
        u32::try_from(sent).unwrap_or(u32::MAX)
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Waits until none does; `false` when Ctrl-C came first. `told` is called after each question, `say` once if it
    /// cannot be asked for a while.
    pub(crate) async fn until_known(&mut self, told: impl Fn(&Self), say: impl Fn(&str)) -> bool {
        let stop = self.dead.stop.clone();
        let (mut pause, mut said) = (FIRST, false);
        loop {
            let begun = Instant::now();
            let asked = self.ask().await;
            told(self);
            if self.waiting.is_empty() {
                return true;
            }
            if let Err(error) = asked
                && !stop.is_cancelled()
                && !std::mem::replace(&mut said, true)
            {
                say(&format!("the outcomes are not known yet; retrying: {error:#}"));
            }
            // If browsing takes long, it must not run all the time.
            pause = pause.max(begun.elapsed() * 2);
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 3 / 2).min(LONGEST),
                () = stop.cancelled() => return false,
            }
        }
    }

    async fn ask(&mut self) -> anyhow::Result<()> {
        self.sort_out(&DiedAgain::default()).await?;
        if !self.waiting.is_empty() && Depths::ask(&self.dead.broker, &self.dead.topology).await?.dead.ready > 0 {
            let died = DiedAgain::look(self.dead, Some(self.replay)).await?;
            self.sort_out(&died).await?;
        }
        Ok(())
    }

    async fn sort_out(&mut self, died: &DiedAgain) -> anyhow::Result<()> {
        let mut dead_letters = std::mem::take(&mut self.waiting).into_iter();
        loop {
            let page: Vec<PastItem> = dead_letters.by_ref().take(PAGE as usize).collect();
            if page.is_empty() {
                return Ok(());
            }
            match fates(self.store, self.replay, &page, died).await {
                Ok(fates) => page.into_iter().zip(fates).for_each(|(dead_letter, fate)| self.note(dead_letter, fate)),
                Err(failure) => {
                    self.waiting.extend(page);
                    self.waiting.extend(dead_letters);
                    return Err(self.store.with_context(failure).into());
                }
            }
        }
    }

    fn note(&mut self, dead_letter: PastItem, fate: Fate) {
        match &fate {
            Fate::Waiting => return self.waiting.push(dead_letter),
            Fate::FailedAgain(reason) => *self.failures.entry(Arc::clone(reason)).or_default() += 1,
            _ => {}
        }
        self.known.add(&fate);
    }

    /// The groups of the new failures, the most frequent first, on one line.
    pub(crate) fn failed_of(&self) -> String {
        let mut groups: Vec<(&Reason, u32)> = self.failures.iter().map(|(reason, count)| (&**reason, *count)).collect();
        groups.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let mut words: Vec<String> = Vec::new();
        for (Reason { class, code, message, .. }, count) in groups.iter().take(5) {
            words.push(line(&format!("{count} {class} {code} ({message})")));
        }
        if groups.len() > words.len() {
            words.push(format!("{} other messages", groups.len() - words.len()));
        }
        words.join(", ")
    }
}
