//! The places that are asked for the ids, in the order that misses nothing.

use std::ops::ControlFlow;

use common::config::{BrokerArgs, DatabaseArgs};
use common::delivery::Letter;
use common::failure::Failure;
use common::post::PostId;
use common::store::{Content, Store, StoreError};
use time::OffsetDateTime;

use super::account::{Account, Tally};
use crate::depths::Depths;
use crate::dlq::look::DeadLetters;

/// How many ids are asked for before the answer is taken over.
const AT_ONCE: usize = 10_000;

/// Queue, rows, dead letters, acts.
pub(super) struct Places {
    dead: DeadLetters,
    store: Store,
}

impl Places {
    /// Those these settings name. Nothing is opened yet.
    ///
    /// # Errors
    /// When a setting is wrong.
    pub(super) fn new(broker: &BrokerArgs, database: &DatabaseArgs) -> anyhow::Result<Self> {
        Ok(Self { dead: DeadLetters::new(broker, "verify")?, store: Store::new(database)? })
    }

    /// Asks all of them once.
    ///
    /// The queue's depth comes first: a post that leaves the queue afterwards is found in one of the others. Rows come
    /// before dead letters: a row stays, so an id found as both is in both places; the other way round, a letter
    /// replayed in between would look like it.
    ///
    /// # Errors
    /// When one cannot be asked.
    pub(super) async fn round(&self, account: &mut Account) -> anyhow::Result<Tally> {
        let Depths { posts: waiting, .. } = Depths::ask(&self.dead.broker, &self.dead.topology).await?;
        for ids in account.unrecorded().chunks(AT_ONCE) {
            account.recorded(self.store.recorded(ids).await.map_err(|failure| self.blame(failure))?);
        }
        account.forget_dead();
        let mut both: Vec<(PostId, Option<Content>)> = Vec::new();
        self.dead
            .look(|letter| {
                let (recorded, others): (Vec<PostId>, Vec<PostId>) =
                    ids_of(&letter).partition(|id| account.is_recorded(id));
                account.dead(others);
                if !recorded.is_empty() {
                    let content = letter.post(OffsetDateTime::now_utc()).ok().map(|post| Content::of(&post));
                    both.extend(recorded.into_iter().map(|id| (id, content.clone())));
                }
                ControlFlow::Continue(())
            })
            .await?;
        self.tell_apart(account, both).await?;
        for ids in account.nowhere().chunks(AT_ONCE) {
            account.dropped(self.store.dropped(ids).await.map_err(|failure| self.blame(failure))?);
        }
        Ok(account.tally(waiting.ready, waiting.consumers))
    }

    /// Of the dead letters with the id of a recorded post, which are that post and which are another one. Their own
    /// word is not asked for it: anybody can write a header.
    async fn tell_apart(&self, account: &mut Account, both: Vec<(PostId, Option<Content>)>) -> anyhow::Result<()> {
        let ids: Vec<PostId> = both.iter().map(|(id, _)| *id).collect();
        let stored = self.store.contents(&ids).await.map_err(|failure| self.blame(failure))?;
        for (id, content) in both {
            let same = stored.get(&id).zip(content).is_none_or(|(row, content)| row.content == content);
            if same { account.dead([id]) } else { account.conflicting([id]) }
        }
        Ok(())
    }

    /// Until Ctrl-C or SIGTERM.
    pub(super) async fn stopped(&self) {
        self.dead.stop.cancelled().await;
    }

    /// Ends the connections.
    pub(super) async fn close(&self) {
        self.store.close().await;
    }

    fn blame(&self, failure: Failure) -> StoreError {
        self.store.blame(failure)
    }
}

/// The ids a letter may be known by: the message's and the body's. They are the same unless a stranger wrote it.
fn ids_of(letter: &Letter) -> impl Iterator<Item = PostId> {
    let body = serde_json::from_slice::<serde_json::Value>(common::json::without_mark(letter.body())).ok();
    let in_body = body.and_then(|body| body.get("id")?.as_str()?.parse().ok());
    let of_message = letter.summary.id.parse().ok();
    [in_body, of_message].into_iter().flatten()
}
