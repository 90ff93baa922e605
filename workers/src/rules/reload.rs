//! The task that reloads the rules: it checks the file every half second, and immediately on request.
//!
//! A change is loaded when two checks in a row have found the same state, so that an editor has time to rewrite or
//! rename the file. If the file is still read too early, loading fails, or it is loaded again after its next change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sluice_review::RuleSet;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::shift::{Shares, jump};
use super::stamp::Stamp;
use super::{Refusal, Rules};

/// The time between two checks of the file.
const LOOK: Duration = Duration::from_millis(500);

/// What is needed to reload the rules.
pub struct Reload {
    /// The file, and its stamp before it was read; `None` if the rules are built in.
    pub file: Option<(PathBuf, Stamp)>,
    /// What is exchanged.
    pub rules: Arc<Rules>,
    /// By how many percent points the share of held or of rejected posts may change.
    pub max_shift: u32,
    /// The requests to reload immediately.
    pub calls: watch::Receiver<u64>,
}

/// The result of trying other rules.
enum Tried {
    /// They are already in force.
    Same,
    /// They may be put in force.
    Good(Arc<RuleSet>),
    /// They may not.
    Refused(String),
}

impl Reload {
    /// Looks until the end.
    pub async fn run(mut self, end: CancellationToken) {
        match self.file.take() {
            Some((file, read)) => self.follow(file, read, end).await,
            None => self.decline(end).await,
        }
    }

    /// Built-in rules never change, but a request is logged.
    async fn decline(mut self, end: CancellationToken) {
        loop {
            tokio::select! {
                () = end.cancelled() => return,
                called = self.calls.changed() => match called {
                    Ok(()) => tracing::info!("SIGHUP: the rules are built in (SLUICE_RULES names no file); nothing to reload"),
                    Err(_) => return,
                }
            }
        }
    }

    /// Follows a file. `read` is its stamp when it was last read.
    async fn follow(mut self, file: PathBuf, mut read: Stamp, end: CancellationToken) {
        let mut seen = read.clone();
        loop {
            let called = tokio::select! {
                () = end.cancelled() => return,
                () = tokio::time::sleep(LOOK) => false,
                Ok(()) = self.calls.changed() => true,
            };
            let looked = {
                let file = file.clone();
                tokio::task::spawn_blocking(move || Stamp::take(&file)).await
            };
            // An error means the end of the runtime.
            let Ok(now) = looked else { return };
            if called || (now != read && now == seen) {
                tokio::select! {
                    () = end.cancelled() => return,
                    () = self.reload(&file, called) => {}
                }
                read = now.clone();
            }
            seen = now;
        }
    }

    async fn reload(&self, file: &Path, called: bool) {
        let (rules, file, limit) = (Arc::clone(&self.rules), file.to_owned(), self.max_shift);
        // Compiling many words takes a second of processor time, while posts continue.
        let tried = tokio::task::spawn_blocking(move || attempt(&rules, &file, limit)).await;
        let tried = tried.unwrap_or_else(|panic| Tried::Refused(format!("loading them failed: {panic}")));
        let old = self.rules.active();
        let in_force = old.set.id();
        let result = match tried {
            Tried::Same => {
                if called || old.refused.is_some() {
                    tracing::info!(rules = in_force, "the rules in the file are already in force");
                }
                self.rules.say_refused(None);
                "unchanged"
            }
            Tried::Good(set) => {
                tracing::info!(rules = set.id(), before = in_force, "new rules are in force");
                self.rules.put_in_force(set);
                "loaded"
            }
            Tried::Refused(why) => {
                tracing::warn!(why, rules = in_force, "new rules are refused; the current rules stay in force");
                self.rules.say_refused(Some(Refusal { at: OffsetDateTime::now_utc(), why }));
                "refused"
            }
        };
        metrics::counter!("sluice_rules_reloads_total", "result" => result).increment(1);
    }
}

/// Reads the file, which runs its tests, and tries it on the last posts.
fn attempt(rules: &Rules, file: &Path, limit: u32) -> Tried {
    let set = match RuleSet::load(file) {
        Ok(set) => set,
        Err(error) => return Tried::Refused(error.to_string()),
    };
    let in_force = rules.active();
    if set.id() == in_force.set.id() {
        return Tried::Same;
    }
    let texts = rules.recent();
    match jump(Shares::of(&in_force.set, &texts), Shares::of(&set, &texts), limit) {
        Some(jump) => Tried::Refused(format!("{}: {jump}", set.id())),
        None => Tried::Good(Arc::new(set)),
    }
}
