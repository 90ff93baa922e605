//! What an operator did to a dead letter, told to people.

use sluice_mysql::AuditEntry;

/// In a word what happened, and the circumstances. The word is the outcome, where that is one by itself.
#[must_use]
pub fn told(line: &AuditEntry) -> (&'static str, String) {
    let AuditEntry { outcome, kind, actor, operation, detail, reason, undone_by, .. } = line;
    let (what, means) = match outcome.as_str() {
        "replayed" => ("replayed", "put back to work"),
        "dropped" => ("dropped", "taken out of the dead letters; the audit log keeps it"),
        "destroyed" => ("destroyed", "taken out of the dead letters; nothing of it is kept"),
        "restored" => ("restored", "put back among the dead letters"),
        "imported" => ("imported", "put among the dead letters from a file"),
        "archived" => ("archived", "a copy of it as it was is in the audit log, before it was edited or reverted"),
        "edited" => ("edited", "another body took the place of its own"),
        "reverted" => ("reverted", "it was released the body that it had before the edit"),
        "denied" => ("denied", "this was not done"),
        "left" => ("acted on", "not replayed, and left where it is"),
        "present" => ("acted on", "not put back, because it is among the dead letters"),
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
