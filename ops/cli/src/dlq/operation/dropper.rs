//! How dead letters are dropped: each is written to the archive in full, and only then removed from RabbitMQ. With
//! `--forever`, the audit log keeps who, when, which id and why, but not the dead letter itself.

use sluice_core::dead_letter::Death;
use sluice_mysql::{OperationItem, StoreError};
use sluice_rabbit::dead_letters::DeadLetter;
use sluice_runtime::failpoint;

use crate::dlq::report::audit_log::AuditLog;
use crate::dlq::report::outcome::Batch;
use crate::dlq::report::wording::{DESTROY, DROP};

/// Drops a batch. A dead letter that is too large for the audit log stays; the others are dropped.
pub(in crate::dlq) async fn batch(dead_letters: Vec<DeadLetter>, audit_log: &mut AuditLog) -> Batch {
    let room = match audit_log.room().await {
        Ok(room) => room,
        Err(error) => return not_recorded(&error),
    };
    let mut lines = Vec::with_capacity(dead_letters.len());
    let (mut kept, mut refused) = (Vec::with_capacity(dead_letters.len()), Vec::new());
    for mut dead_letter in dead_letters {
        let transcript = dead_letter.transcript();
        dead_letter.forget_body();
        match audit_log.keeping(&dead_letter.summary, DROP.past, &transcript, room) {
            Ok(line) if line.archived.is_none() => refused.push(line),
            Ok(line) => {
                lines.push(line);
                kept.push(dead_letter);
            }
            Err(error) => {
                return Batch::not_begun(format!("a dead letter cannot be converted to JSON, so it was kept: {error}"));
            }
        }
    }
    take_out(kept, lines, refused, audit_log).await
}

/// Destroys a batch.
pub(in crate::dlq) async fn destroy(dead_letters: Vec<DeadLetter>, audit_log: &mut AuditLog) -> Batch {
    let lines = dead_letters.iter().map(|dead_letter| {
        let summary = &dead_letter.summary;
        let detail = format!("it had failed as {}, {}", summary.class, summary.code);
        let line = audit_log.about(summary, DESTROY.past, detail);
        // The message may contain a part of the post's text.
        let death = line.death.map(|death| Death { message: String::new(), ..death });
        OperationItem { death, ..line }
    });
    let lines = lines.collect();
    take_out(dead_letters, lines, Vec::new(), audit_log).await
}

fn not_recorded(error: &StoreError) -> Batch {
    Batch::not_begun(format!("the drop could not be recorded, so the dead letters were kept: {error}"))
}

/// Records, then acknowledges. Between the two, a dead letter is in the queue and in the archive; `restore` notices
/// that and does not duplicate it. For the `refused`, it records only that they stay.
async fn take_out(
    dead_letters: Vec<DeadLetter>,
    mut lines: Vec<OperationItem>,
    refused: Vec<OperationItem>,
    audit_log: &mut AuditLog,
) -> Batch {
    let recorded = match audit_log.begin().await {
        Ok(()) => match audit_log.record(&lines).await {
            Ok(()) => audit_log.record(&refused).await,
            failed => failed,
        },
        failed => failed,
    };
    if let Err(error) = recorded {
        return not_recorded(&error);
    }
    let mut stop = None;
    let mut kept = Vec::new();
    for (dead_letter, line) in dead_letters.into_iter().zip(&mut lines) {
        failpoint::reach(failpoint::DROP_RECORDED);
        if let Err(error) = dead_letter.remove().await {
            let detail = format!("recorded as {}, but it may still be among the dead letters: {error}", line.outcome);
            stop.get_or_insert_with(|| detail.clone());
            let failed = audit_log.entry(line.dead_letter.clone(), "failed", detail);
            *line = OperationItem { post: line.post, ..failed };
            kept.push(line.clone());
        }
    }
    if let Err(error) = audit_log.record(&kept).await {
        stop = Some(format!(
            "{} dead letters were kept, but the audit log still lists them as dropped: {error}",
            kept.len()
        ));
    }
    lines.extend(refused);
    Batch { outcomes: lines, stop }
}
