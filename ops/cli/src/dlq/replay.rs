//! Replay: a copy goes back to the work exchange, and only when the broker has confirmed it and a queue holds it does
//! the letter leave the dead letters. In between a post is in both places, which its primary key absorbs; it is never
//! in neither.
//!
//! ```text
//!  replayed too often ─► left          what is stored already? ─► publish ─► confirmed ─► take out ─► record
//!                                      MySQL is away: not now     refused: stays
//! ```

use std::collections::HashMap;
use std::time::Duration;

use sluice_core::failure::Kind;
use sluice_core::post::PostId;
use sluice_mysql::{Content, OperationItem, StoreError};
use sluice_rabbit::delivery::DeadLetter;
use sluice_rabbit::publisher::{Envelope, PublishError, Publisher};
use sluice_runtime::failpoint;
use time::OffsetDateTime;

use super::ledger::Ledger;
use super::options::ReplayOptions;
use super::outcome::{Batch, Done};
use crate::browse::DeadLetters;
use crate::replays::trace::Trace;

/// The longest wait for the confirms of a batch.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// The most letters of a batch, once it goes well. Each waits for RabbitMQ and twice for MySQL, so larger ones are
/// faster.
pub(super) const LETTERS: usize = 1000;

/// Puts letters back to work.
pub(super) struct Replayer {
    /// Where to.
    pub(super) publisher: Publisher,
    /// With how much care.
    pub(super) options: ReplayOptions,
}

impl Replayer {
    /// Replays a batch. The first letter that the broker does not take ends the act, unless it is the letter's own fault:
    /// the next would fare no better.
    pub(super) async fn batch(&self, letters: Vec<DeadLetter>, dead: &DeadLetters, ledger: &mut Ledger) -> Done {
        let begun_before = ledger.act_id().is_some();
        if let Err(error) = ledger.begin().await {
            return not_begun(format!("the act could not be recorded, so it was not done: {error}"));
        }
        let traces = match traces(&letters, ledger).await {
            Ok(traces) => traces,
            Err(error) if begun_before && is_away(&error) => return Done::NotNow(letters, error.to_string()),
            Err(error) => return not_begun(format!("MySQL could not be asked what is stored already: {error}")),
        };
        let mut outcomes = Vec::with_capacity(letters.len());
        let mut sent = Vec::with_capacity(letters.len());
        for (letter, trace) in letters.into_iter().zip(traces) {
            match self.options.refusal(&letter) {
                Some(reason) => outcomes.push(ledger.about(&letter.summary, "left", reason)),
                None => sent.push((letter, trace)),
            }
        }
        let mut envelopes: Vec<Envelope> = Vec::with_capacity(sent.len());
        for (letter, _) in &mut sent {
            envelopes.push(letter.replay(&dead.topology, ledger.id()));
            letter.forget_body();
        }
        let answers = self.publisher.publish_batch(&envelopes).await;
        let mut stop = None;
        for ((letter, trace), answer) in sent.into_iter().zip(answers) {
            let summary = letter.summary.clone();
            let goes_on = answer.as_ref().is_err_and(PublishError::is_the_messages_own);
            let (outcome, detail) = conclude(letter, &trace, answer).await;
            if outcome == "failed" && !goes_on && stop.is_none() {
                stop = Some(detail.clone());
            }
            outcomes.push(ledger.about(&summary, outcome, detail));
        }
        match ledger.record(&outcomes).await {
            Ok(()) => Done::Acted(Batch { outcomes, stop }),
            Err(error) if is_away(&error) && stop.is_none() => {
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

/// Whether MySQL will be back without anybody changing what we ask of it.
pub(super) fn is_away(error: &StoreError) -> bool {
    error.failure.kind == Kind::Dependency
}

/// Takes a letter out once its copy is safe.
async fn conclude(letter: DeadLetter, trace: &Trace, answer: Result<(), PublishError>) -> (&'static str, String) {
    match answer {
        Err(error) => ("failed", format!("{error}; it stays among the dead letters")),
        Ok(()) => {
            failpoint::reach(failpoint::REPLAY_CONFIRMED);
            match letter.remove().await {
                Ok(()) => ("replayed", trace.to_string()),
                Err(error) => ("failed", format!("{STILL_THERE}: {error}")),
            }
        }
    }
}

/// What is to be known of each letter later, seen before it is put back: a moment after, a worker may have stored it.
async fn traces(letters: &[DeadLetter], ledger: &Ledger) -> Result<Vec<Trace>, StoreError> {
    let now = OffsetDateTime::now_utc();
    // The texts themselves would be in memory twice.
    let posts = letters.iter().map(|letter| letter.post(now).ok().map(|post| (post.id, Content::of(&post))));
    let posts: Vec<Option<(PostId, Content)>> = posts.collect();
    let mut traces: Vec<Trace> = letters.iter().zip(&posts).map(|(letter, post)| Trace::of(letter, post)).collect();
    let ids = |(trace, letter): (&Trace, &DeadLetter)| trace.post(&letter.summary.id);
    let ids: Vec<Option<PostId>> = traces.iter().zip(letters).map(ids).collect();
    let stored = ledger.contents(&ids.iter().copied().flatten().collect::<Vec<_>>()).await?;
    let mut first: HashMap<PostId, Content> = HashMap::new();
    for ((trace, id), post) in traces.iter_mut().zip(ids).zip(posts) {
        let content = post.map(|(_, content)| content);
        match (id.map(|id| (id, stored.get(&id))), content) {
            (Some((_, Some(row))), content) => {
                trace.already_recorded = content.as_ref() == Some(&row.content);
                trace.id_taken = !trace.already_recorded;
            }
            // Where two letters have one id and say different things, the row will be the first one's.
            (Some((id, None)), Some(content)) => {
                trace.id_taken = *first.entry(id).or_insert_with(|| content.clone()) != content
            }
            _ => {}
        }
    }
    Ok(traces)
}

/// Harmless, but the operator must know.
const STILL_THERE: &str = "it is back in the queue, but could not be taken out of the dead letters";

/// What was done cannot be undone; what is missing in the record is said here.
pub(super) fn unrecorded(outcomes: &[OperationItem], error: &str) -> String {
    let replayed: Vec<&str> =
        outcomes.iter().filter(|letter| letter.outcome == "replayed").map(|letter| letter.letter.as_str()).collect();
    format!("the record of {} replayed letters could not be written ({error}): {}", replayed.len(), replayed.join(" "))
}
