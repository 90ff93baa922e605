//! What each source knows of a post: RabbitMQ, the table of posts, the audit log, people's review.

use std::ops::ControlFlow;

use sluice_core::named::Named;
use sluice_core::post::PostId;
use sluice_mysql::{AuditEntry, Content, PrunedPost, Store, StoredPost};
use sluice_rabbit::dead_letters::DeadLetterSummary;
use time::OffsetDateTime;

use super::reviewed::Reviewed;
use crate::browse::DeadLetters;
use crate::depths::Depths;

/// The most operations that are shown, the latest ones.
const OPERATIONS: u32 = 1000;

/// What each source has.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) row: Option<StoredPost>,
    pub(super) dead_letters: Vec<DeadLetterSummary>,
    /// What the first of them says, if it is a post.
    pub(super) says: Option<Content>,
    /// The trace that the first of them names.
    pub(super) trace: Option<String>,
    pub(super) operations: Vec<AuditEntry>,
    /// Who had the row deleted because it was old; none while there is one.
    pub(super) pruned: Option<PrunedPost>,
    /// What people did about the row.
    pub(super) reviewed: Reviewed,
    /// How many posts wait in the queue.
    pub(super) waiting: u32,
    /// What could not be queried, and why.
    pub(super) unreachable: Vec<String>,
}

impl Known {
    /// Asks RabbitMQ: how many posts wait, and which dead letters have the id.
    pub(super) async fn ask_broker(&mut self, dead: &DeadLetters, named: &Named) {
        match Depths::ask(&dead.broker, &dead.topology).await {
            Ok(depths) => self.waiting = depths.posts.ready,
            // One line for RabbitMQ is enough.
            Err(error) => return self.unreachable.push(format!("RabbitMQ: {error}")),
        }
        let look = dead.look(|dead_letter| {
            if dead_letter.summary.is(named) {
                if self.dead_letters.is_empty() {
                    self.says = dead_letter.post(OffsetDateTime::now_utc()).ok().map(|post| Content::of(&post));
                }
                self.trace = self.trace.take().or_else(|| Some(dead_letter.trace()?.trace_id()));
                self.dead_letters.push(dead_letter.summary);
            }
            ControlFlow::Continue(())
        });
        if let Err(error) = look.await {
            self.unreachable.push(format!("dead letters: {error:#}"));
        }
    }

    /// Asks MySQL, after RabbitMQ: a dead letter may say which post it is about.
    pub(super) async fn ask_database(&mut self, store: &Store, prefix: &str, named: &Named) {
        let asked = async {
            self.operations = store.audit_log(prefix, Some(named), OPERATIONS).await?;
            self.operations.reverse();
            for id in self.posts(named) {
                self.row = store.post(id).await?;
                if self.row.is_some() {
                    self.reviewed = Reviewed::ask(store, id).await?;
                    return Ok(());
                }
            }
            for id in self.posts(named) {
                self.pruned = store.pruned_post(id).await?;
                if self.pruned.is_some() {
                    break;
                }
            }
            Ok(())
        };
        if let Err(failure) = asked.await {
            self.unreachable.push(format!("MySQL: {}", store.with_context(failure)));
        }
    }

    /// The posts that the id may refer to: the one with this id, then those in dead letters with this id, now or
    /// earlier.
    fn posts(&self, named: &Named) -> Vec<PostId> {
        let held = self.dead_letters.iter().filter_map(|dead_letter| dead_letter.post);
        let were = self.operations.iter().filter_map(|operation| operation.post.as_ref()?.parse().ok());
        let mut posts = Vec::new();
        for post in named.post().into_iter().chain(held).chain(were) {
            if !posts.contains(&post) {
                posts.push(post);
            }
        }
        posts
    }
}

#[cfg(test)]
pub(super) mod examples {
    use super::*;
    use sluice_core::disposition::Class;
    use time::macros::datetime;

    pub(in crate::why) const NOON: OffsetDateTime = datetime!(2026-11-22 12:00 UTC);

    pub(in crate::why) fn row(minutes: i64) -> StoredPost {
        let at = NOON + time::Duration::minutes(minutes);
        StoredPost {
            id: "a".to_owned(),
            title: "Hello".to_owned(),
            content: String::new(),
            author: Some("ann".to_owned()),
            verdict: "approved".to_owned(),
            reasons: "[]".to_owned(),
            ruleset: "builtin".to_owned(),
            submitted_at: NOON,
            recorded_at: at,
            worker: "w-1".to_owned(),
            attempts: 2,
            scores: None,
            sender: None,
        }
    }

    pub(in crate::why) fn dead_letter(minutes: i64) -> DeadLetterSummary {
        DeadLetterSummary {
            id: "a".to_owned(),
            class: Class::Permanent,
            code: "too_long".to_owned(),
            message: "no room".to_owned(),
            fingerprint: String::new(),
            attempts: 3,
            first_failed_at: Some(NOON + time::Duration::minutes(minutes - 1)),
            last_failed_at: Some(NOON + time::Duration::minutes(minutes)),
            worker: "w-2".to_owned(),
            replays: 0,
            title: None,
            author: None,
            sender: None,
            post: None,
            submitted_at: None,
        }
    }

    pub(in crate::why) fn operation(minutes: i64, outcome: &str) -> AuditEntry {
        AuditEntry {
            number: 0,
            at: NOON + time::Duration::minutes(minutes),
            operation: "op".to_owned(),
            kind: "replay".to_owned(),
            actor: "me@here".to_owned(),
            dead_letter: "a".to_owned(),
            outcome: outcome.to_owned(),
            detail: String::new(),
            archived: false,
            undone_by: None,
            asked: serde_json::Value::Null,
            post: None,
            reason: None,
            death: None,
        }
    }
}
