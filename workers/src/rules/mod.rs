//! The rules in force, and the scorer where there is one: each is replaced as a whole while posts are processed.
//!
//! ```text
//!  SIGHUP, or the file changed
//!        │
//!        ▼
//!  load ─► its own tests ─► the last posts, by the old set and the new ─► in force
//!        └────────┴───────────────────┴── refused: the old set stays, with the reason
//! ```
//!
//! Each post is reviewed by one set: it holds a reference to it, and a replacement affects only later posts. The review
//! of a post is kept as long as the post is in flight. A scorer comes into force, or is refused, in the same way.

mod call;
mod part;
mod recent;
mod reload;
mod shift;
mod stamp;

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use sluice_core::post::Post;
use sluice_core::verdict::{Reason, Review};
use sluice_review::Judge;
use time::OffsetDateTime;

pub use self::call::Calls;
pub use self::part::{Followed, Part};
use self::recent::{Recent, Text};
pub use self::reload::Reload;

/// The rules that the posts of this process are reviewed by.
#[derive(Debug)]
pub struct Rules {
    active: ArcSwap<ActiveRules>,
    recent: Mutex<Recent>,
}

/// What is in force, and what was refused.
#[derive(Debug, Clone)]
pub struct ActiveRules {
    /// The rules and the scorer in force.
    pub judge: Judge,
    /// Since when the rules are, UTC.
    pub since: OffsetDateTime,
    /// Newer rules in the file that were refused, if any.
    pub refused: Option<Refusal>,
    /// Since when the scorer is in force, UTC.
    pub scorer_since: OffsetDateTime,
    /// A newer scorer in its file that was refused, if any.
    pub scorer_refused: Option<Refusal>,
}

impl ActiveRules {
    /// What of this part was refused.
    fn refused(&self, part: Part) -> Option<&Refusal> {
        match part {
            Part::Rules => self.refused.as_ref(),
            Part::Scorer => self.scorer_refused.as_ref(),
        }
    }

    /// The same, but that this of a part was refused, or nothing any more.
    fn refusing(mut self, part: Part, refused: Option<Refusal>) -> Self {
        match part {
            Part::Rules => self.refused = refused,
            Part::Scorer => self.scorer_refused = refused,
        }
        self
    }
}

/// Rules, or a scorer, that were refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When, UTC.
    pub at: OffsetDateTime,
    /// Why.
    pub why: String,
}

impl Rules {
    /// Starts with these.
    #[must_use]
    pub fn new(judge: Judge) -> Self {
        let now = OffsetDateTime::now_utc();
        let active = ActiveRules { judge, since: now, refused: None, scorer_since: now, scorer_refused: None };
        report(&active, 1.0);
        Self { active: ArcSwap::from_pointee(active), recent: Mutex::default() }
    }

    /// What is in force now.
    #[must_use]
    pub fn active(&self) -> Arc<ActiveRules> {
        self.active.load_full()
    }

    /// Reviews a post with the rules in force, and remembers the post to try new rules on.
    #[must_use]
    pub fn review(&self, post: &Post) -> Review {
        let active = self.active();
        let review = active.judge.review(post);
        tell_shadow(post, &review);
        if let Some(language) = active.judge.rules().unlisted(&post.title, &post.content) {
            metrics::counter!("sluice_rules_unlisted_total", "language" => language).increment(1);
        }
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).push(&post.title, &post.content);
        review
    }

    /// The last posts that were reviewed.
    fn recent(&self) -> Vec<Arc<Text>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).texts()
    }

    /// Replaces this part of what is in force.
    fn put_in_force(&self, part: Part, judge: Judge) {
        let (before, now) = (self.active(), OffsetDateTime::now_utc());
        let (since, scorer_since) = match part {
            Part::Rules => (now, before.scorer_since),
            Part::Scorer => (before.since, now),
        };
        let active = ActiveRules { judge, since, scorer_since, ..ActiveRules::clone(&before) }.refusing(part, None);
        report(&before, 0.0);
        report(&active, 1.0);
        self.active.store(Arc::new(active));
    }

    /// Records that another part was refused, or that none is any more.
    fn say_refused(&self, part: Part, refused: Option<Refusal>) {
        // Only the one task that reloads writes.
        self.active.store(Arc::new(ActiveRules::clone(&self.active()).refusing(part, refused)));
    }
}

/// Logs the matches of rules, and of a scorer, in shadow mode: they do not affect the verdict, and their author wants to know what they
/// would do. The position in the post is logged, never the text.
fn tell_shadow(post: &Post, review: &Review) {
    for Reason { rule, category, field, span: [from, to], .. } in &review.shadow {
        metrics::counter!("sluice_rules_shadow_total", "rule" => rule.clone()).increment(1);
        tracing::info!(post = %post.id, rule, category, field, from, to, "a shadow rule matched");
    }
}

/// Sets the metrics: 1 for the set in force, 0 for earlier ones.
fn report(active: &ActiveRules, in_force: f64) {
    metrics::gauge!("sluice_rules_info", "ruleset" => active.judge.id().to_owned()).set(in_force);
    metrics::gauge!("sluice_rules_loaded_timestamp_seconds").set(active.since.unix_timestamp() as f64);
}
