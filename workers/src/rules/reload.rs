//! The task that reloads rules and scorer: it checks their files every half second, and immediately on request. One task
//! for both, and one way: each is tried with the other as it is in force.
//!
//! A change is loaded when two checks in a row have found the same state, so that an editor has time to rewrite or
//! rename the file. If the file is still read too early, loading fails, or it is loaded again after its next change.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sluice_review::Judge;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::part::{Followed, Part};
use super::shift::{Shares, jump};
use super::{Refusal, Rules};

/// The time between two checks of a file.
const LOOK: Duration = Duration::from_millis(500);

/// What is needed to reload the rules and the scorer.
pub struct Reload {
    /// Their files; none, if the rules are built in and there is no scorer.
    pub files: Vec<Followed>,
    /// What is exchanged.
    pub rules: Arc<Rules>,
    /// By how many percent points the share of held or of rejected posts may change.
    pub max_shift: u32,
    /// The requests to reload immediately.
    pub calls: watch::Receiver<u64>,
}

/// The result of trying another part.
enum Tried {
    /// It is already in force.
    Same,
    /// It may be put in force.
    Good(Box<Judge>),
    /// It may not.
    Refused(String),
}

impl Reload {
    /// Looks until the end.
    pub async fn run(mut self, end: CancellationToken) {
        let mut files = std::mem::take(&mut self.files);
        let builtin = files.iter().all(|followed| followed.part != Part::Rules);
        loop {
            let called = tokio::select! {
                () = end.cancelled() => return,
                () = tokio::time::sleep(LOOK), if !files.is_empty() => false,
                Ok(()) = self.calls.changed() => true,
            };
            if called && builtin {
                tracing::info!("SIGHUP: the rules are built in (SLUICE_RULES names no file); nothing to reload");
            }
            for followed in &mut files {
                tokio::select! {
                    () = end.cancelled() => return,
                    () = self.look(followed, called) => {}
                }
            }
        }
    }

    /// Looks at one file, and reads it if it has changed or that was asked for.
    async fn look(&self, followed: &mut Followed, called: bool) {
        let (part, file) = (followed.part, followed.file.clone());
        let looked = tokio::task::spawn_blocking(move || part.stamp(&file)).await;
        // An error means the end of the runtime.
        let Ok(now) = looked else { return };
        if called || (now != followed.read && now == followed.seen) {
            self.reload(part, &followed.file, called).await;
            followed.read = now.clone();
        }
        followed.seen = now;
    }

    async fn reload(&self, part: Part, file: &Path, called: bool) {
        let (rules, file, limit) = (Arc::clone(&self.rules), file.to_owned(), self.max_shift);
        // Compiling many words takes a second of processor time, while posts continue.
        let tried = tokio::task::spawn_blocking(move || attempt(&rules, part, &file, limit)).await;
        let tried = tried.unwrap_or_else(|panic| Tried::Refused(format!("loading it failed: {panic}")));
        let old = self.rules.active();
        let in_force = old.judge.id();
        let result = match tried {
            Tried::Same => {
                if called || old.refused(part).is_some() {
                    match part {
                        Part::Rules => tracing::info!(rules = in_force, "the rules in the file are already in force"),
                        Part::Scorer => tracing::info!(rules = in_force, "the scorer in the file is already in force"),
                    }
                }
                self.rules.say_refused(part, None);
                "unchanged"
            }
            Tried::Good(judge) => {
                self.rules.put_in_force(part, *judge);
                let new = self.rules.active();
                let rules = new.judge.id();
                match part {
                    Part::Rules => tracing::info!(rules, before = in_force, "new rules are in force"),
                    Part::Scorer => {
                        let scorer = part.id(&new.judge);
                        tracing::info!(scorer, rules, before = in_force, "a new scorer is in force");
                    }
                }
                "loaded"
            }
            Tried::Refused(why) => {
                self.rules.say_refused(part, Some(Refusal { at: OffsetDateTime::now_utc(), why: why.clone() }));
                match part {
                    Part::Rules => {
                        tracing::warn!(why, rules = in_force, "new rules are refused; the current rules stay in force");
                    }
                    Part::Scorer => {
                        tracing::warn!(
                            why,
                            rules = in_force,
                            "a new scorer is refused; the current one stays in force"
                        );
                    }
                }
                "refused"
            }
        };
        metrics::counter!("sluice_rules_reloads_total", "part" => part.as_str(), "result" => result).increment(1);
    }
}

/// Reads the file, which runs the tests of rules, and tries it on the last posts.
fn attempt(rules: &Rules, part: Part, file: &Path, limit: u32) -> Tried {
    let in_force = rules.active();
    let judge = match part.replaced(&in_force.judge, file) {
        Ok(judge) => judge,
        Err(why) => return Tried::Refused(why),
    };
    if part.id(&judge) == part.id(&in_force.judge) {
        return Tried::Same;
    }
    let texts = rules.recent();
    match jump(Shares::of(&in_force.judge, &texts), Shares::of(&judge, &texts), limit) {
        Some(jump) => Tried::Refused(format!("{}: {jump}", part.id(&judge).unwrap_or_default())),
        None => Tried::Good(Box::new(judge)),
    }
}
