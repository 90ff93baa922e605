//! How an operation goes, for pages: the same words that a command prints, kept until somebody looks.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

/// The most lines that are kept, the latest ones.
const LINES: usize = 100;

/// How it goes. Shared by the operation and by all who look.
#[derive(Default)]
pub(crate) struct Progress(Mutex<Steps>);

/// What is known at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Steps {
    /// How many dead letters are to be looked through.
    pub(crate) total: u32,
    /// How many of them have been.
    pub(crate) passed: u32,
    /// On how many of them something was done, as the last line of the command counts it.
    pub(crate) done: u32,
    /// Those for which it failed.
    pub(crate) failed: u32,
    /// What was said, the latest last.
    pub(crate) lines: VecDeque<(OffsetDateTime, String)>,
    /// The summary, once it has ended.
    pub(crate) summary: Option<String>,
    /// The outcomes that are known, and how many are not yet.
    pub(crate) outcomes: Option<(String, usize)>,
    /// Whether all outcomes are known, or nobody waits for them any more.
    pub(crate) is_over: bool,
}

impl Progress {
    /// What is known now.
    pub(crate) fn now(&self) -> Steps {
        self.lock().clone()
    }

    /// Changes it.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Steps)) {
        change(&mut self.lock());
    }

    /// One more line.
    pub(crate) fn say(&self, text: &str) {
        let mut steps = self.lock();
        if steps.lines.len() == LINES {
            steps.lines.pop_front();
        }
        steps.lines.push_back((OffsetDateTime::now_utc(), text.to_owned()));
    }

    fn lock(&self) -> MutexGuard<'_, Steps> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
