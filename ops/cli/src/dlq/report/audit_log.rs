//! Writes the audit log of one operation. What cannot be recorded is not done.

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
/// The most dead letters that are recorded for a denied operation.
const DENIED: usize = 1000;

/// Writes one operation.
pub(crate) struct AuditLog {
    store: Store,
    operation: Operation,
    begun: bool,
    numbered: u32,
    room: Option<usize>,
}

impl AuditLog {
    /// The audit log of an operation that has not started. `asked` is the selection.
    pub(crate) async fn new(store: Store, kind: OperationKind, prefix: &str, asked: Value) -> Self {
        Self::of(actor().await, store, kind, prefix, asked)
    }

    /// The same, of an operation of this person.
    pub(crate) fn of(actor: String, store: Store, kind: OperationKind, prefix: &str, asked: Value) -> Self {
        let operation = Operation::begin(kind, actor, prefix.to_owned(), asked);
        Self { store, operation, begun: false, numbered: 0, room: None }
    }

    /// Where it is written.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The id that the operation has, or will have.
    pub(crate) fn id(&self) -> &str {
        &self.operation.id
    }

    /// The operation's id, if it has begun.
    pub(crate) fn operation_id(&self) -> Option<&str> {
        self.begun.then_some(self.operation.id.as_str())
    }

    /// Which of these posts are stored now.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn stored(&self, posts: &[PostId]) -> Result<HashSet<PostId>, StoreError> {
        self.store.recorded(posts).await.map_err(|failure| self.store.with_context(failure))
    }

    /// What is stored under these ids now.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn contents(&self, posts: &[PostId]) -> Result<HashMap<PostId, StoredContent>, StoreError> {
        // Usually few of many: only their texts are read.
        let there: Vec<PostId> = self.stored(posts).await?.into_iter().collect();
        self.store.contents(&there).await.map_err(|failure| self.store.with_context(failure))
    }

    /// Records the start of the operation, once: an operation without dead letters is not recorded.
    ///
    /// # Errors
    /// The database's; the operation must not be done then.
    pub(crate) async fn begin(&mut self) -> Result<(), StoreError> {
        if !self.begun {
            self.store.record_operation(&self.operation).await.map_err(|failure| self.store.with_context(failure))?;
            self.begun = true;
        }
        Ok(())
    }

    /// The next line of the audit log.
    pub(crate) fn entry(&mut self, dead_letter: String, outcome: &'static str, detail: String) -> OperationItem {
        self.numbered += 1;
        let (number, post) = (self.numbered, dead_letter.parse().ok());
        OperationItem { number, dead_letter, post, outcome, detail, death: None, archived: None, undoes: Vec::new() }
    }

    /// The next line, with the post in the dead letter and how it had failed.
    pub(crate) fn about(
        &mut self,
        dead_letter: &DeadLetterSummary,
        outcome: &'static str,
        detail: String,
    ) -> OperationItem {
        let entry = self.entry(dead_letter.id.clone(), outcome, detail);
        OperationItem { post: dead_letter.post, death: Some(dead_letter.death()), ..entry }
    }

    /// How many bytes of one dead letter the audit log can hold. MySQL is queried once.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn room(&mut self) -> Result<usize, StoreError> {
        if let Some(room) = self.room {
            return Ok(room);
        }
        let room = self.store.room_for_a_dead_letter().await.map_err(|failure| self.store.with_context(failure))?;
        self.room = Some(room);
        Ok(room)
    }

    /// The next line, with everything needed to restore the dead letter; if that exceeds [`Self::room`], a line that
    /// says so.
    ///
    /// # Errors
    /// When it cannot be serialised: then it must not be removed from RabbitMQ.
    pub(crate) fn keeping(
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

    /// Records that an operation was not done, and why. If that cannot be recorded, it is only printed.
    pub(crate) async fn deny(&mut self, dead_letters: impl Iterator<Item = &DeadLetterSummary>, reason: &str) {
        let lines: Vec<OperationItem> =
            dead_letters.take(DENIED).map(|dead_letter| self.about(dead_letter, "denied", reason.to_owned())).collect();
        let recorded = match self.begin().await {
            Ok(()) => self.record(&lines).await,
            refused => refused,
        };
        if let Err(error) = recorded {
            report!("the refusal could not be recorded: {error}");
        }
    }

    /// Writes lines; retries on errors, which repeats nothing.
    ///
    /// # Errors
    /// The database's, at the last try.
    pub(crate) async fn record(&self, outcomes: &[OperationItem]) -> Result<(), StoreError> {
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
    pub(crate) async fn close(&self) {
        self.store.close().await;
    }
}

/// For a dead letter that the audit log cannot hold.
fn too_large(bytes: usize, room: usize) -> String {
    format!(
        "the audit log cannot hold it, so it stays: it has {bytes} bytes as JSON, and MySQL accepts at most {room}; \
        raise the limit with `SET GLOBAL max_allowed_packet = {}` (at most 1073741824), or `sluice dlq export` it and \
        `drop \
         --forever`",
        (bytes + bytes / 8).next_multiple_of(1024 * 1024)
    )
}
