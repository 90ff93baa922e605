//! `sluice dlq restore`: puts dropped dead letters back into the dead-letter queue, unchanged.
//!
//! ```text
//!  the audit log ──► entries ──► the lock, and what the queue has ──► publish, confirmed ──► record: restored
//!                                what is there is not published       └─ a crash here: the next restore finds it there
//! ```
//!
//! All of it happens under the lock, so nobody replays, drops or restores the same dead letters meanwhile. The dead
//! letters themselves are put back as soon as they are counted.

use clap::Args;
use sluice_core::config::{ConfigError, ServerArgs};
use sluice_mysql::Store;
use sluice_rabbit::publisher::Publisher;
use sluice_runtime::exit::Exit;

use super::dropped;
use super::restoring::Restoring;
use super::{DroppedEntries, DroppedEntry};
use crate::browse::DeadLetters;
use crate::dlq::operation::replay::PATIENCE;
use crate::dlq::report::audience::Audience;
use crate::dlq::report::audit_log::AuditLog;
use crate::dlq::report::outcome::{Ending, exit, report_json};
use crate::dlq::report::reporter::Reporter;
use crate::dlq::report::wording::RESTORE;
use crate::dlq::select::Filters;
use crate::visible::line;
use sluice_runtime::output::report;

/// Arguments of `sluice dlq restore`.
#[derive(Debug, Args)]
pub(in crate::dlq) struct RestoreArgs {
    /// Ids of dropped dead letters, same as --id; `sluice dlq dropped` lists them
    #[arg(value_name = "ID")]
    given: Vec<String>,
    #[command(flatten)]
    filters: Filters,
    /// Select dead letters dropped by this operation; repeatable
    #[arg(long = "operation", value_name = "OPERATION")]
    operations: Vec<String>,
    /// Select every dropped dead letter
    #[arg(long, conflicts_with_all = ["given", "ids", "class", "code", "fingerprint", "since", "until", "contains", "operations"])]
    all: bool,
    /// List what would be done without doing it
    #[arg(long)]
    dry_run: bool,
    /// Accepted, as by the other operations, but not needed: restore never asks
    #[arg(long, short = 'y', hide = true)]
    yes: bool,
    /// Print one JSON object per dead letter to stdout: {"id", "outcome", "detail"}
    ///
    /// Objects are printed one per line, each when its outcome is known. The outcome is restored, present (it is in the
    /// dead-letter queue already) or failed (the detail says why: it was already restored, was destroyed, or was never
    /// dropped); with --dry-run would_restore.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    servers: ServerArgs,
}

/// Restores them.
///
/// # Errors
/// When the arguments are wrong, or nothing could be begun. Later errors are printed and show in the exit code.
pub(in crate::dlq) async fn run(mut args: RestoreArgs) -> anyhow::Result<Exit> {
    args.filters.ids.append(&mut args.given);
    args.filters.check()?;
    if !args.all && args.operations.is_empty() && !args.filters.select() {
        let problem =
            "no dropped dead letters are selected: give ids, --operation, filters, or --all for every one of them";
        return Err(ConfigError::new(RESTORE.command, problem).into());
    }
    let dead = DeadLetters::new(&args.servers.broker, RESTORE.command)?;
    let store = Store::new(&args.servers.database)?;
    store
        .check_schema()
        .await
        .map_err(|error| anyhow::Error::new(error).context("nothing was done, because it could not be recorded"))?;
    let found = super::find(&store, &dead.prefix, &args.filters, &args.operations).await?;
    if args.dry_run {
        return dry_run(&found, args.json);
    }
    if found.chosen.is_empty() && found.missing.is_empty() {
        report!("no dropped dead letter matches the filters; nothing was done");
        return Ok(Exit::Done);
    }
    let asked = serde_json::json!({ "filters": args.filters, "operations": args.operations, "all": args.all });
    let audit_log = AuditLog::new(store, RESTORE.kind, &dead.prefix, asked).await;
    put_back(found, dead, audit_log, Audience::Terminal { json: args.json }).await
}

/// Restores these entries.
///
/// # Errors
/// When nothing could be begun.
pub(crate) async fn put_back(
    found: DroppedEntries,
    dead: DeadLetters,
    audit_log: AuditLog,
    audience: Audience,
) -> anyhow::Result<Exit> {
    let DroppedEntries { chosen, missing, .. } = found;
    let total = u32::try_from(chosen.len()).unwrap_or(u32::MAX);
    let report = Reporter::new(RESTORE, audience, total, None);
    let publisher = Publisher::new(&dead.broker, &dead.topology, PATIENCE)?;
    let mut restore = Restoring::new(dead, audit_log, publisher, report);
    let ending = if chosen.is_empty() { Ending::Complete } else { restore.run(chosen).await? };
    for (id, reason) in missing {
        restore.report.report_one(&id, "failed", &reason);
    }
    let exit = restore.report.finish(&ending, restore.audit_log.operation_id());
    restore.audit_log.close().await;
    Ok(exit)
}

fn dry_run(found: &DroppedEntries, json: bool) -> anyhow::Result<Exit> {
    let DroppedEntries { chosen, missing, .. } = found;
    if json {
        chosen.iter().for_each(|entry| report_json(&entry.summary.id, RESTORE.would, ""));
        missing.iter().for_each(|(id, reason)| report_json(id, "failed", reason));
    } else {
        dropped::print(chosen, false)?;
        missing.iter().for_each(|(id, reason)| report!("{}: {}", line(id), line(reason)));
    }
    let copies: usize = chosen.iter().map(DroppedEntry::copies).sum();
    report!("{copies} would be {}; nothing was done", RESTORE.past);
    let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
    Ok(exit(&Ending::Complete, count(chosen.len()), 0, count(missing.len())))
}
