//! The rules in force: one set at a time, replaced as a whole while posts are processed.
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
//! of a post is kept as long as the post is in flight.

mod call;
mod recent;
mod reload;
mod shift;
mod stamp;

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use sluice_core::post::Post;
use sluice_core::verdict::{Reason, Review};
use sluice_review::RuleSet;
use time::OffsetDateTime;

pub use self::call::Calls;
use self::recent::{Recent, Text};
pub use self::reload::Reload;
pub use self::stamp::Stamp;

/// The rules that the posts of this process are reviewed by.
#[derive(Debug)]
pub struct Rules {
    active: ArcSwap<ActiveRules>,
    recent: Mutex<Recent>,
}

/// What is in force, and what was refused.
#[derive(Debug, Clone)]
pub struct ActiveRules {
    /// The set in force.
    pub set: Arc<RuleSet>,
    /// Since when, UTC.
    pub since: OffsetDateTime,
    /// Newer rules in the file that were refused, if any.
    pub refused: Option<Refusal>,
}

/// Rules that were refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When, UTC.
    pub at: OffsetDateTime,
    /// Why.
    pub why: String,
}

impl Rules {
    /// Starts with a first set.
    #[must_use]
    pub fn new(set: RuleSet) -> Self {
        let active = ActiveRules { set: Arc::new(set), since: OffsetDateTime::now_utc(), refused: None };
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
        let review = active.set.review(post);
        tell_shadow(post, &review);
        if let Some(language) = active.set.unlisted(&post.title, &post.content) {
            metrics::counter!("sluice_rules_unlisted_total", "language" => language).increment(1);
        }
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).push(&post.title, &post.content);
        review
    }

    /// The last posts that were reviewed.
    fn recent(&self) -> Vec<Arc<Text>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).texts()
    }

    /// Replaces the set.
    fn put_in_force(&self, set: Arc<RuleSet>) {
        let active = ActiveRules { set, since: OffsetDateTime::now_utc(), refused: None };
        report(&self.active(), 0.0);
        report(&active, 1.0);
        self.active.store(Arc::new(active));
    }

    /// Records that other rules were refused, or that none are any more.
    fn say_refused(&self, refused: Option<Refusal>) {
        // Only the one task that reloads writes.
        self.active.store(Arc::new(ActiveRules { refused, ..ActiveRules::clone(&self.active()) }));
    }
}

/// Logs the matches of rules in shadow mode: they do not affect the verdict, and their author wants to know what they
/// would do. The position in the post is logged, never the text.
fn tell_shadow(post: &Post, review: &Review) {
    for Reason { rule, category, field, span: [from, to], .. } in &review.shadow {
        metrics::counter!("sluice_rules_shadow_total", "rule" => rule.clone()).increment(1);
        tracing::info!(post = %post.id, rule, category, field, from, to, "a shadow rule matched");
    }
}

/// Sets the metrics: 1 for the set in force, 0 for earlier ones.
fn report(active: &ActiveRules, in_force: f64) {
    metrics::gauge!("sluice_rules_info", "ruleset" => active.set.id().to_owned()).set(in_force);
    metrics::gauge!("sluice_rules_loaded_timestamp_seconds").set(active.since.unix_timestamp() as f64);
}
