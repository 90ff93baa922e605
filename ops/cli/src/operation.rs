//! Describes what an operator did to a dead letter.

use sluice_mysql::AuditEntry;

/// A short name of what happened, and the details. The name is the outcome if that is clear by itself.
#[must_use]
pub fn told(line: &AuditEntry) -> (&'static str, String) {
    let AuditEntry { outcome, kind, actor, operation, detail, reason, undone_by, .. } = line;
    let (what, means) = match outcome.as_str() {
        "replayed" => ("replayed", "published to the work queue again"),
        "dropped" => ("dropped", "removed from the dead-letter queue; the archive keeps it"),
        "destroyed" => ("destroyed", "removed from the dead-letter queue; nothing of it is kept"),
        "restored" => ("restored", "returned to the dead-letter queue"),
        "imported" => ("imported", "added to the dead-letter queue from a file"),
        "archived" => ("archived", "the audit log has a copy from before it was edited or reverted"),
        "edited" => ("edited", "its body was replaced"),
        "reverted" => ("reverted", "its body from before the edit was put back"),
        "denied" => ("denied", "not done"),
        "left" => ("acted on", "not replayed; it stays in the dead-letter queue"),
        "present" => ("acted on", "not returned, because it is already in the dead-letter queue"),
        _ => ("acted on", ""),
    };
    let mut detailed = match (what, means) {
        ("acted on", "") => format!("{outcome} ({kind})"),
        ("acted on" | "denied", means) => format!("{outcome} ({kind}): {means}"),
        (_, means) => means.to_owned(),
    };
    detailed.push_str(&format!(", by {actor}, operation {operation}"));
    if let Some(reason) = reason {
        detailed.push_str(&format!(", reason: {reason}"));
    }
    if !detail.is_empty() {
        detailed.push_str(&format!(" ({detail})"));
    }
    if let Some(operation) = undone_by {
        detailed.push_str(&format!("; undone by operation {operation}"));
    }
    (what, detailed)
}
