//! Replay: publishes a copy to the work exchange, and removes the dead letter only after the broker has confirmed the
//! copy. In between, a post is in both queues, which is harmless because of the primary key; it is never in neither.
//!
//! ```text
//!  replayed too often ─► left          what is stored already? ─► publish ─► confirmed ─► take out ─► record
//!                                      MySQL is down: not now     refused: stays
//! ```

use std::collections::HashMap;
use std::time::Duration;

use sluice_core::failure::Kind;
use sluice_core::post::PostId;
use sluice_mysql::{Content, OperationItem, StoreError};
use sluice_rabbit::dead_letters::DeadLetter;
use sluice_rabbit::publisher::{Envelope, PublishError, Publisher};
use sluice_runtime::failpoint;
use time::OffsetDateTime;

use super::options::ReplayOptions;
use crate::browse::DeadLetters;
use crate::dlq::report::audit_log::AuditLog;
use crate::dlq::report::outcome::{Batch, Done};
use crate::replays::trace::Trace;

/// The longest wait for the confirms of a batch.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// The most dead letters of a batch, once it goes well. Each waits for RabbitMQ and twice for MySQL, so larger ones are
/// faster.
pub(crate) const BATCH: usize = 1000;

/// Replays dead letters.
pub(crate) struct Replayer {
    /// Where to.
    pub(crate) publisher: Publisher,
    /// The options.
    pub(crate) options: ReplayOptions,
}

impl Replayer {
    /// Replays a batch. The first dead letter that the broker does not accept ends the operation, unless the dead
    /// letter itself is the cause, because the next one would fail too.
    pub(crate) async fn batch(
        &self,
        dead_letters: Vec<DeadLetter>,
        dead: &DeadLetters,
        audit_log: &mut AuditLog,
    ) -> Done {
        let begun_before = audit_log.operation_id().is_some();
        if let Err(error) = audit_log.begin().await {
            return not_begun(format!("the operation could not be recorded, so it was not done: {error}"));
        }
        let traces = match traces(&dead_letters, audit_log).await {
            Ok(traces) => traces,
            Err(error) if begun_before && is_down(&error) => return Done::NotNow(dead_letters, error.to_string()),
            Err(error) => return not_begun(format!("MySQL could not be queried for what is already stored: {error}")),
        };
        let mut outcomes = Vec::with_capacity(dead_letters.len());
        let mut sent = Vec::with_capacity(dead_letters.len());
        for (dead_letter, trace) in dead_letters.into_iter().zip(traces) {
            match self.options.refusal(&dead_letter) {
                Some(reason) => outcomes.push(audit_log.about(&dead_letter.summary, "left", reason)),
                None => sent.push((dead_letter, trace)),
            }
        }
        let mut envelopes: Vec<Envelope> = Vec::with_capacity(sent.len());
        for (dead_letter, _) in &mut sent {
            envelopes.push(dead_letter.replay(&dead.topology, audit_log.id()));
            dead_letter.forget_body();
        }
        let answers = self.publisher.publish_batch(&envelopes).await;
        let mut stop = None;
        for ((dead_letter, trace), answer) in sent.into_iter().zip(answers) {
            let summary = dead_letter.summary.clone();
            let goes_on = answer.as_ref().is_err_and(PublishError::is_the_messages_own);
            let (outcome, detail) = conclude(dead_letter, &trace, answer).await;
            if outcome == "failed" && !goes_on && stop.is_none() {
                stop = Some(detail.clone());
            }
            outcomes.push(audit_log.about(&summary, outcome, detail));
        }
        match audit_log.record(&outcomes).await {
            Ok(()) => Done::Acted(Batch { outcomes, stop }),
            Err(error) if is_down(&error) && stop.is_none() => {
                Done::Unrecorded(Batch { outcomes, stop }, error.to_string())
            }
            Err(error) => {
                let stop = Some(unrecorded(&outcomes, &error.to_string()));
                Done::Acted(Batch { outcomes, stop })
            }
        }
    }
}

fn not_begun(reason: String) -> Done {
    Done::Acted(Batch::not_begun(reason))
}

/// Whether MySQL can recover without a change to the request.
pub(crate) fn is_down(error: &StoreError) -> bool {
    error.failure.kind == Kind::Dependency
}

/// Removes a dead letter once its copy is confirmed.
async fn conclude(dead_letter: DeadLetter, trace: &Trace, answer: Result<(), PublishError>) -> (&'static str, String) {
    match answer {
        Err(error) => ("failed", format!("{error}; it stays in the dead-letter queue")),
        Ok(()) => {
            failpoint::reach(failpoint::REPLAY_CONFIRMED);
            match dead_letter.remove().await {
                Ok(()) => ("replayed", trace.to_string()),
                Err(error) => ("failed", format!("{STILL_THERE}: {error}")),
            }
        }
    }
}

/// Notes about each dead letter for later, made before it is replayed: right after, a worker may have stored it.
async fn traces(dead_letters: &[DeadLetter], audit_log: &AuditLog) -> Result<Vec<Trace>, StoreError> {
    let now = OffsetDateTime::now_utc();
    // The texts themselves would be in memory twice.
    let posts =
        dead_letters.iter().map(|dead_letter| dead_letter.post(now).ok().map(|post| (post.id, Content::of(&post))));
    let posts: Vec<Option<(PostId, Content)>> = posts.collect();
    let mut traces: Vec<Trace> =
        dead_letters.iter().zip(&posts).map(|(dead_letter, post)| Trace::of(dead_letter, post)).collect();
    let ids = |(trace, dead_letter): (&Trace, &DeadLetter)| trace.post(&dead_letter.summary.id);
    let ids: Vec<Option<PostId>> = traces.iter().zip(dead_letters).map(ids).collect();
    let stored = audit_log.contents(&ids.iter().copied().flatten().collect::<Vec<_>>()).await?;
    let mut first: HashMap<PostId, Content> = HashMap::new();
    for ((trace, id), post) in traces.iter_mut().zip(ids).zip(posts) {
        let content = post.map(|(_, content)| content);
        match (id.map(|id| (id, stored.get(&id))), content) {
            (Some((_, Some(row))), content) => {
                trace.already_recorded = content.as_ref() == Some(&row.content);
                trace.id_taken = !trace.already_recorded;
            }
            // If two dead letters have the same id and different texts, the first one gets the row.
            (Some((id, None)), Some(content)) => {
                trace.id_taken = *first.entry(id).or_insert_with(|| content.clone()) != content
            }
            _ => {}
        }
    }
    Ok(traces)
}

/// Harmless, but the operator must know.
const STILL_THERE: &str = "it was published to the work queue, but could not be removed from the dead-letter queue";

/// The replay cannot be undone; entries missing in the audit log are printed here.
pub(crate) fn unrecorded(outcomes: &[OperationItem], error: &str) -> String {
    let replayed: Vec<&str> = outcomes
        .iter()
        .filter(|dead_letter| dead_letter.outcome == "replayed")
        .map(|dead_letter| dead_letter.dead_letter.as_str())
        .collect();
    format!(
        "the record of {} replayed dead letters could not be written ({error}): {}",
        replayed.len(),
        replayed.join(" ")
    )
}
