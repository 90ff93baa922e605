//! The audit log of one operation, as it is written. What cannot be recorded is not done.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::Value;
use sluice_core::post::PostId;
use sluice_mysql::{Operation, OperationItem, OperationKind, Store, StoreError, StoredContent};
use sluice_rabbit::dead_letters::{DeadLetterSummary, Transcript};
use sluice_runtime::output::report;

use crate::actor::actor;

/// How often a record of what is already done is tried before it is given up.
const TRIES: u32 = 3;
/// The wait between two tries.
const PAUSE: Duration = Duration::from_millis(500);
/// The most dead letters that the audit log of a denial names: what was not done to them is no news of any one of them.
const DENIED: usize = 1000;

/// Writes one operation.
pub(in crate::dlq) struct AuditLog {
    store: Store,
    operation: Operation,
    begun: bool,
    numbered: u32,
    room: Option<usize>,
}

impl AuditLog {
    /// The audit log of an operation that has not begun. `asked` is the selection as it was asked for.
    pub(in crate::dlq) async fn new(store: Store, kind: OperationKind, prefix: &str, asked: Value) -> Self {
        let operation = Operation::begin(kind, actor().await, prefix.to_owned(), asked);
        Self { store, operation, begun: false, numbered: 0, room: None }
    }

    /// Where it is written.
    pub(in crate::dlq) fn store(&self) -> &Store {
        &self.store
    }

    /// The id that the operation has, or will have.
    pub(in crate::dlq) fn id(&self) -> &str {
        &self.operation.id
    }

    /// The operation's id, if it has begun.
    pub(in crate::dlq) fn operation_id(&self) -> Option<&str> {
        self.begun.then_some(self.operation.id.as_str())
    }

    /// Which of these posts are stored now.
    ///
    /// # Errors
    /// The database's.
    pub(in crate::dlq) async fn stored(&self, posts: &[PostId]) -> Result<HashSet<PostId>, StoreError> {
        self.store.recorded(posts).await.map_err(|failure| self.store.with_context(failure))
    }

    /// What is stored under these ids now.
    ///
    /// # Errors
    /// The database's.
    pub(in crate::dlq) async fn contents(
        &self,
        posts: &[PostId],
    ) -> Result<HashMap<PostId, StoredContent>, StoreError> {
        // Few of many, mostly: only theirs are worth a look at their texts.
        let there: Vec<PostId> = self.stored(posts).await?.into_iter().collect();
        self.store.contents(&there).await.map_err(|failure| self.store.with_context(failure))
    }

    /// Records that the operation begins, once: an operation that touches no dead letter is none.
    ///
    /// # Errors
    /// The database's; the operation must not be done then.
    pub(in crate::dlq) async fn begin(&mut self) -> Result<(), StoreError> {
        if !self.begun {
            self.store.record_operation(&self.operation).await.map_err(|failure| self.store.with_context(failure))?;
            self.begun = true;
        }
        Ok(())
    }

    /// The next line of the audit log.
    pub(in crate::dlq) fn entry(
        &mut self,
        dead_letter: String,
        outcome: &'static str,
        detail: String,
    ) -> OperationItem {
        self.numbered += 1;
        let (number, post) = (self.numbered, dead_letter.parse().ok());
        OperationItem { number, dead_letter, post, outcome, detail, death: None, archived: None, undoes: Vec::new() }
    }

    /// The next line, with the post that the dead letter holds and how it had died.
    pub(in crate::dlq) fn about(
        &mut self,
        dead_letter: &DeadLetterSummary,
        outcome: &'static str,
        detail: String,
    ) -> OperationItem {
        let entry = self.entry(dead_letter.id.clone(), outcome, detail);
        OperationItem { post: dead_letter.post, death: Some(dead_letter.death()), ..entry }
    }

    /// How many bytes of one dead letter the audit log can keep. MySQL is asked once.
    ///
    /// # Errors
    /// The database's.
    pub(in crate::dlq) async fn room(&mut self) -> Result<usize, StoreError> {
        if let Some(room) = self.room {
            return Ok(room);
        }
        let room = self.store.room_for_a_dead_letter().await.map_err(|failure| self.store.with_context(failure))?;
        self.room = Some(room);
        Ok(room)
    }

    /// The next line, with all that is needed to bring the dead letter back; where that is more than there is
    /// [`Self::room`] for, a line that says so.
    ///
    /// # Errors
    /// When it cannot be written out: it must not be taken out of RabbitMQ then.
    pub(in crate::dlq) fn keeping(
        &mut self,
        summary: &DeadLetterSummary,
        outcome: &'static str,
        dead_letter: &Transcript,
        room: usize,
    ) -> Result<OperationItem, serde_json::Error> {
        let kept = serde_json::to_string(dead_letter)?;
        if kept.len() > room {
            return Ok(self.about(summary, "failed", too_large(kept.len(), room)));
        }
        Ok(OperationItem { archived: Some(kept), ..self.about(summary, outcome, String::new()) })
    }

    /// Records that an operation was not done, and why. Where that cannot be recorded it is only said: nothing was
    /// done, after all.
    pub(in crate::dlq) async fn deny(&mut self, dead_letters: impl Iterator<Item = &DeadLetterSummary>, reason: &str) {
        let lines: Vec<OperationItem> =
            dead_letters.take(DENIED).map(|dead_letter| self.about(dead_letter, "denied", reason.to_owned())).collect();
        let recorded = match self.begin().await {
            Ok(()) => self.record(&lines).await,
            refused => refused,
        };
        if let Err(error) = recorded {
            report!("that this was not done could not be recorded: {error}");
        }
    }

    /// Writes lines; tries again where the database hesitates, which repeats nothing.
    ///
    /// # Errors
    /// The database's, at the last try.
    pub(in crate::dlq) async fn record(&self, outcomes: &[OperationItem]) -> Result<(), StoreError> {
        let mut tries = 1;
        loop {
            match self.store.record_items(&self.operation, outcomes).await {
                Ok(()) => return Ok(()),
                Err(failure) if tries == TRIES => return Err(self.store.with_context(failure)),
                Err(_) => tries += 1,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Ends the connections.
    pub(in crate::dlq) async fn close(&self) {
        self.store.close().await;
    }
}

/// Said of a dead letter that the audit log cannot keep.
fn too_large(bytes: usize, room: usize) -> String {
    format!(
        "the audit log cannot keep it, so it stays: written out it has {bytes} bytes, and MySQL takes {room} at most; \
         `SET GLOBAL max_allowed_packet = {}` makes room (at most 1073741824), or `sluice dlq export` it and `drop \
         --forever`",
        (bytes + bytes / 8).next_multiple_of(1024 * 1024)
    )
}
