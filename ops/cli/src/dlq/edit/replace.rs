//! Replaces one dead letter by another.
//!
//! ```text
//!  the lock ──► the old one is in the audit log ──► the new one is published, confirmed ──► the old one is acknowledged
//!                                                 └─ a crash here leaves both: the next edit, or its undoing, finds the
//!                                                    pair by the new one's header and takes out the one that is over
//! ```

use sluice_mysql::{LineId, OperationItem};
use sluice_rabbit::dead_letters::{DeadLetter, DeadLetterBrowser, DeadLetterSummary, Digest, Transcript};
use sluice_rabbit::publisher::Publisher;
use sluice_runtime::failpoint;

use crate::browse::{DeadLetters, Interrupted};
use crate::dlq::operation::replay::PATIENCE;
use crate::dlq::report::audit_log::AuditLog;
use sluice_runtime::output::report;

/// What is to be done.
pub(crate) struct Replacement {
    /// What is known about the dead letter.
    pub(crate) dead_letter: DeadLetterSummary,
    /// The dead letter as it was seen.
    pub(crate) old: Transcript,
    /// Its replacement; `None` if that is already in the queue.
    pub(crate) new: Option<Transcript>,
    /// Another copy that an earlier operation left behind, to be removed.
    pub(crate) leftover: Option<Digest>,
    /// Its entry in the audit log.
    pub(crate) outcome: &'static str,
    /// The line that this undoes.
    pub(crate) undoes: Vec<LineId>,
}

/// Why it was not done.
pub(crate) enum NotReplaced {
    /// The dead letter is no longer as it was seen: nothing was done.
    Stale,
    /// Something prevents it.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for NotReplaced {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Replacement {
    /// Does it.
    ///
    /// # Errors
    /// [`NotReplaced`].
    pub(crate) async fn run(self, dead: &DeadLetters, audit_log: &mut AuditLog) -> Result<(), NotReplaced> {
        let mut dead_letters = dead.open().await?;
        let wanted = [Some(self.old.digest()), self.leftover];
        let done = match find(&wanted, dead, &mut dead_letters).await {
            Ok(found) => self.among(found, dead, audit_log).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = dead_letters.put_back().await {
            report!("the dead letters could not be returned, so RabbitMQ returns them by itself: {error}");
        }
        done
    }

    async fn among(
        self,
        mut found: Vec<(Digest, DeadLetter)>,
        dead: &DeadLetters,
        audit_log: &mut AuditLog,
    ) -> Result<(), NotReplaced> {
        let Self { dead_letter: summary, old, new, leftover, outcome, undoes } = self;
        let digest = old.digest();
        let mut take = |wanted: Digest| {
            let at = found.iter().position(|(digest, _)| *digest == wanted)?;
            Some(found.swap_remove(at).1)
        };
        let Some(dead_letter) = take(digest) else { return Err(NotReplaced::Stale) };
        // If there is no replacement, the old one stays.
        let old = if new.is_some() { Some(dead_letter) } else { None };
        let over: Vec<DeadLetter> = [old, leftover.and_then(&mut take)].into_iter().flatten().collect();
        let room = audit_log.room().await?;
        let mut kept = Vec::with_capacity(over.len());
        for dead_letter in &over {
            let line = audit_log.keeping(&summary, ARCHIVED, &dead_letter.transcript(), room)?;
            if line.archived.is_none() {
                return Err(NotReplaced::Failed(anyhow::anyhow!(line.detail)));
            }
            kept.push(line);
        }
        audit_log.begin().await?;
        audit_log.record(&kept).await?;
        let done = put(new, over, dead).await;
        let line = match &done {
            Ok(()) => OperationItem { undoes, ..audit_log.about(&summary, outcome, String::new()) },
            Err(error) => audit_log.about(&summary, "failed", format!("{error:#}")),
        };
        audit_log.record(&[line]).await?;
        done.map_err(NotReplaced::Failed)
    }
}

/// The outcome in the audit log for a dead letter that is archived before anything is done.
const ARCHIVED: &str = "archived";

async fn put(new: Option<Transcript>, over: Vec<DeadLetter>, dead: &DeadLetters) -> anyhow::Result<()> {
    if let Some(new) = new {
        let publisher = Publisher::new(&dead.broker, &dead.topology, PATIENCE)?;
        publisher.publish(new.dead_letter(&dead.topology)?).await?;
        failpoint::reach(failpoint::EDIT_CONFIRMED);
    }
    for dead_letter in over {
        dead_letter.remove().await?;
    }
    Ok(())
}

/// The dead letters with these digests, the oldest first. All dead letters are then in flight.
///
/// # Errors
/// When they cannot be browsed.
async fn find(
    wanted: &[Option<Digest>],
    dead: &DeadLetters,
    dead_letters: &mut DeadLetterBrowser,
) -> anyhow::Result<Vec<(Digest, DeadLetter)>> {
    let mut found: Vec<(Digest, DeadLetter)> = Vec::new();
    while let Some(dead_letter) = dead_letters.next().await? {
        if dead.stop.is_cancelled() {
            return Err(Interrupted.into());
        }
        let digest = dead_letter.transcript().digest();
        // One of each is enough, or two if they are identical.
        if wanted.contains(&Some(digest)) && found.iter().filter(|(other, _)| *other == digest).count() < wanted.len() {
            found.push((digest, dead_letter));
        }
    }
    Ok(found)
}
