//! The places that are asked for the ids, in the order that misses nothing; and the cases of those that are held.

use std::ops::ControlFlow;

use sluice_core::config::{BrokerArgs, DatabaseArgs};
use sluice_core::failure::Failure;
use sluice_core::post::PostId;
use sluice_mysql::{Content, Store, StoreError};
use sluice_rabbit::dead_letters::DeadLetter;
use time::OffsetDateTime;

use super::reconciliation::Reconciliation;
use super::tally::Tally;
use crate::browse::DeadLetters;
use crate::depths::Depths;

/// How many ids are queried at a time.
const AT_ONCE: usize = 10_000;

/// Queue, rows, dead letters, operations.
pub(super) struct Places {
    dead: DeadLetters,
    store: Store,
}

/// What recorded posts lack.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    /// Held, without a case.
    pub(super) held: Vec<PostId>,
    /// How many decisions have no event in the outbox.
    pub(super) decisions: u64,
    /// The posts among which these were found: they are what has to be looked at again.
    pub(super) among: Vec<PostId>,
}

impl Gaps {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.decisions == 0
    }
}

impl Places {
    /// The dead letters of these settings. Nothing is opened yet.
    ///
    /// # Errors
    /// When a setting is wrong.
    pub(super) fn new(broker: &BrokerArgs, database: &DatabaseArgs) -> anyhow::Result<Self> {
        Ok(Self { dead: DeadLetters::new(broker, "verify")?, store: Store::new(database)? })
    }

    /// Queries all of them once.
    ///
    /// The queue's depth comes first: a post that leaves the queue afterwards is found in one of the others. Rows come
    /// before dead letters: a row stays, so an id found as both is in both places; the other way round, a dead letter
    /// replayed in between would look like a duplicate.
    ///
    /// # Errors
    /// When one cannot be queried.
    pub(super) async fn round(&self, reconciliation: &mut Reconciliation) -> anyhow::Result<Tally> {
        let Depths { posts: waiting, .. } = Depths::ask(&self.dead.broker, &self.dead.topology).await?;
        for ids in reconciliation.unrecorded().chunks(AT_ONCE) {
            reconciliation.recorded(self.store.recorded(ids).await.map_err(|failure| self.with_context(failure))?);
        }
        reconciliation.forget_dead();
        let mut both: Vec<(PostId, Option<Content>)> = Vec::new();
        self.dead
            .look(|dead_letter| {
                match held(&dead_letter) {
                    Some(id) if reconciliation.is_recorded(&id) => {
                        let content = dead_letter.post(OffsetDateTime::now_utc()).ok().map(|post| Content::of(&post));
                        both.push((id, content));
                    }
                    Some(id) => reconciliation.dead([id]),
                    None => reconciliation.claim(named(&dead_letter)),
                }
                ControlFlow::Continue(())
            })
            .await?;
        self.tell_apart(reconciliation, both).await?;
        for ids in reconciliation.nowhere().chunks(AT_ONCE) {
            reconciliation.dropped(self.store.dropped(ids).await.map_err(|failure| self.with_context(failure))?);
            reconciliation.pruned(self.store.pruned(ids).await.map_err(|failure| self.with_context(failure))?);
        }
        Ok(reconciliation.tally(waiting.ready, waiting.consumers))
    }

    /// Which dead letters with the id of a recorded post are that post, and which are another one. Their headers are
    /// not used, because any publisher can set them.
    async fn tell_apart(
        &self,
        reconciliation: &mut Reconciliation,
        both: Vec<(PostId, Option<Content>)>,
    ) -> anyhow::Result<()> {
        let ids: Vec<PostId> = both.iter().map(|(id, _)| *id).collect();
        let stored = self.store.contents(&ids).await.map_err(|failure| self.with_context(failure))?;
        for (id, content) in both {
            let same = stored.get(&id).zip(content).is_none_or(|(row, content)| row.content == content);
            if same { reconciliation.dead([id]) } else { reconciliation.conflicting([id]) }
        }
        Ok(())
    }

    /// Whether each held one of these recorded posts has its case, and each decision on them its event.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub(super) async fn gaps(&self, recorded: &[PostId]) -> anyhow::Result<Gaps> {
        let mut gaps = Gaps::default();
        for ids in recorded.chunks(AT_ONCE) {
            let (held, decisions) = self.store.unaccounted(ids).await.map_err(|failure| self.with_context(failure))?;
            if !held.is_empty() || decisions > 0 {
                gaps.among.extend(ids);
            }
            gaps.held.extend(held);
            gaps.decisions += decisions;
        }
        Ok(gaps)
    }

    /// Until Ctrl-C or SIGTERM.
    pub(super) async fn stopped(&self) {
        self.dead.stop.cancelled().await;
    }

    /// Ends the connections.
    pub(super) async fn close(&self) {
        self.store.close().await;
    }

    fn with_context(&self, failure: Failure) -> StoreError {
        self.store.with_context(failure)
    }
}

/// The accepted post that a dead letter holds: a worker or the broker dead-lettered it, and message and body have the
/// same id, as the producer writes them. Headers and bodies can be forged anyway, so this is what a dead letter
/// says of itself.
fn held(dead_letter: &DeadLetter) -> Option<PostId> {
    let id = dead_letter.message_id()?.parse().ok()?;
    (in_body(dead_letter) == Some(id) && !dead_letter.summary.is_a_strangers()).then_some(id)
}

/// The ids by which a dead letter may refer to an accepted post.
fn named(dead_letter: &DeadLetter) -> impl Iterator<Item = PostId> {
    let of_message = dead_letter.message_id().and_then(|id| id.parse().ok());
    [in_body(dead_letter), of_message].into_iter().flatten()
}

fn in_body(dead_letter: &DeadLetter) -> Option<PostId> {
    serde_json::from_slice::<serde_json::Value>(sluice_core::json::without_mark(dead_letter.body()))
        .ok()?
        .get("id")?
        .as_str()?
        .parse()
        .ok()
}
