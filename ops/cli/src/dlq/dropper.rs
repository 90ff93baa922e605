//! How letters are dropped: each is written out in full into the record, and only then taken out of RabbitMQ. With
//! `--forever` the record keeps who, when, which id and why, and nothing of the letter itself.

use sluice_core::dead_letter::Death;
use sluice_mysql::{OperationItem, StoreError};
use sluice_rabbit::delivery::DeadLetter;
use sluice_runtime::failpoint;

use super::ledger::Ledger;
use super::outcome::Batch;
use super::wording::{DESTROY, DROP};

/// Drops a batch. A letter that is larger than the record can keep stays, and the others go.
pub(super) async fn batch(letters: Vec<DeadLetter>, ledger: &mut Ledger) -> Batch {
    let room = match ledger.room().await {
        Ok(room) => room,
        Err(error) => return not_recorded(&error),
    };
    let mut lines = Vec::with_capacity(letters.len());
    let (mut kept, mut refused) = (Vec::with_capacity(letters.len()), Vec::new());
    for mut letter in letters {
        let transcript = letter.transcript();
        letter.forget_body();
        match ledger.keeping(&letter.summary, DROP.past, &transcript, room) {
            Ok(line) if line.kept.is_none() => refused.push(line),
            Ok(line) => {
                lines.push(line);
                kept.push(letter);
            }
            Err(error) => return Batch::not_begun(format!("a letter cannot be written out, so it was kept: {error}")),
        }
    }
    take_out(kept, lines, refused, ledger).await
}

/// Destroys a batch.
pub(super) async fn destroy(letters: Vec<DeadLetter>, ledger: &mut Ledger) -> Batch {
    let lines = letters.iter().map(|letter| {
        let summary = &letter.summary;
        let detail = format!("it had died as {}, {}", summary.class, summary.code);
        let line = ledger.about(summary, DESTROY.past, detail);
        // What happened may repeat something of what the post says.
        let death = line.death.map(|death| Death { message: String::new(), ..death });
        OperationItem { death, ..line }
    });
    let lines = lines.collect();
    take_out(letters, lines, Vec::new(), ledger).await
}

fn not_recorded(error: &StoreError) -> Batch {
    Batch::not_begun(format!("what was to be dropped could not be recorded, so it was kept: {error}"))
}

/// Records, then acknowledges. Between the two a letter is in the queue and in the record; `restore` sees that it is, and
/// leaves it at one. Of the `refused` it is only recorded that they stay.
async fn take_out(
    letters: Vec<DeadLetter>,
    mut lines: Vec<OperationItem>,
    refused: Vec<OperationItem>,
    ledger: &mut Ledger,
) -> Batch {
    let recorded = match ledger.begin().await {
        Ok(()) => match ledger.record(&lines).await {
            Ok(()) => ledger.record(&refused).await,
            failed => failed,
        },
        failed => failed,
    };
    if let Err(error) = recorded {
        return not_recorded(&error);
    }
    let mut stop = None;
    let mut kept = Vec::new();
    for (letter, line) in letters.into_iter().zip(&mut lines) {
        failpoint::reach(failpoint::DROP_RECORDED);
        if let Err(error) = letter.remove().await {
            let detail = format!("recorded as {}, but it may still be among the dead letters: {error}", line.outcome);
            stop.get_or_insert_with(|| detail.clone());
            let failed = ledger.entry(line.letter.clone(), "failed", detail);
            *line = OperationItem { post: line.post, ..failed };
            kept.push(line.clone());
        }
    }
    if let Err(error) = ledger.record(&kept).await {
        stop = Some(format!("the record still says that {} letters were dropped which were kept: {error}", kept.len()));
    }
    lines.extend(refused);
    Batch { outcomes: lines, stop }
}
