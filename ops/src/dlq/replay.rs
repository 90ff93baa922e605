//! Replay: a copy goes back to the work exchange, and only when the broker has confirmed it and a queue holds it does
//! the letter leave the dead letters. In between a post is in both places, which its primary key absorbs; it is never
//! in neither.

use std::time::Duration;

use common::delivery::Letter;
use common::publisher::{Envelope, Publisher};
use common::store::LetterOutcome;
use common::topology::Topology;

use super::ledger::Ledger;
use super::outcome::Batch;

/// The longest wait for the confirms of a batch.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Replays a batch. The first letter that the broker does not take ends the act: the next would fare no better.
pub(super) async fn batch(
    letters: Vec<Letter>,
    topology: &Topology,
    publisher: &Publisher,
    ledger: &mut Ledger,
) -> Batch {
    if let Err(error) = ledger.begin().await {
        return Batch::not_begun(format!("the act could not be recorded, so it was not done: {error}"));
    }
    let envelopes: Vec<Envelope> = letters.iter().map(|letter| letter.replay(topology)).collect();
    let answers = publisher.publish_batch(&envelopes).await;
    let mut outcomes = Vec::with_capacity(letters.len());
    let mut stop = None;
    for (letter, answer) in letters.into_iter().zip(answers) {
        let id = letter.summary.id.clone();
        let (outcome, detail) = match answer {
            Err(error) => ("failed", format!("{error}; it stays among the dead letters")),
            Ok(()) => match letter.remove().await {
                Ok(()) => ("replayed", String::new()),
                Err(error) => ("failed", format!("{STILL_THERE}: {error}")),
            },
        };
        if outcome == "failed" && stop.is_none() {
            stop = Some(detail.clone());
        }
        outcomes.push(ledger.entry(id, outcome, detail));
    }
    if let Err(error) = ledger.record(&outcomes).await {
        stop = Some(unrecorded(&outcomes, &error.to_string()));
    }
    Batch { outcomes, stop }
}

/// Harmless, but the operator must know.
const STILL_THERE: &str = "it is back in the queue, but could not be taken out of the dead letters";

/// What was done cannot be undone; what is missing in the record is said here.
fn unrecorded(outcomes: &[LetterOutcome], error: &str) -> String {
    let replayed: Vec<&str> =
        outcomes.iter().filter(|letter| letter.outcome == "replayed").map(|letter| letter.letter.as_str()).collect();
    format!("the record of {} replayed letters could not be written ({error}): {}", replayed.len(), replayed.join(" "))
}
