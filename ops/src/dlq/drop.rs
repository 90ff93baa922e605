//! Drop: the letter, body and headers, is written to the record of acts, and only then taken out of RabbitMQ. Whoever
//! regrets it finds it there.

use common::delivery::Letter;

use super::ledger::Ledger;
use super::outcome::Batch;

/// Drops a batch.
pub(super) async fn batch(letters: Vec<Letter>, ledger: &mut Ledger) -> Batch {
    let mut records: Vec<_> = letters.iter().map(|letter| ledger.dropped(letter)).collect();
    let recorded = match ledger.begin().await {
        Ok(()) => ledger.record(&records).await,
        refused => refused,
    };
    if let Err(error) = recorded {
        return Batch::not_begun(format!("what was to be dropped could not be recorded, so it was kept: {error}"));
    }
    let mut stop = None;
    let mut kept = Vec::new();
    for (letter, record) in letters.into_iter().zip(&mut records) {
        if let Err(error) = letter.remove().await {
            let detail = format!("recorded as dropped, but still among the dead letters: {error}");
            stop.get_or_insert_with(|| detail.clone());
            *record = ledger.entry(record.letter.clone(), "failed", detail);
            kept.push(record.clone());
        }
    }
    if let Err(error) = ledger.record(&kept).await {
        stop = Some(format!("the record still says that {} letters were dropped which were kept: {error}", kept.len()));
    }
    Batch { outcomes: records, stop }
}
