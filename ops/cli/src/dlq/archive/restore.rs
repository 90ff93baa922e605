//! `sluice dlq restore`: puts dropped dead letters back into the dead-letter queue, unchanged.
//!
//! ```text
//!  the audit log ──► entries ──► the lock, then browse the queue ──►  publish, confirmed ──► record: restored
//!                           what is there already is skipped           └─ a crash here: the next restore finds it there
//! ```
//!
//! All of this happens while this process holds the lock, so nobody else replays, drops or restores the same dead
//! letters. The dead letters themselves are returned after browsing.

use std::collections::HashMap;

use clap::Args;
use sluice_core::config::{ConfigError, ServerArgs};
use sluice_mysql::{Dropped, LineId, OperationItem, Store};
use sluice_rabbit::dead_letters::{DeadLetterBrowser, Digest, Transcript};
use sluice_rabbit::publisher::{Envelope, Publisher};
use sluice_runtime::exit::Exit;
use sluice_runtime::failpoint;

use super::dropped;
use super::{DroppedEntries, DroppedEntry};
use crate::browse::{DeadLetters, Interrupted};
use crate::dlq::operation::batch::BYTES;
use crate::dlq::operation::rate_limit::BATCH;
use crate::dlq::operation::replay::PATIENCE;
use crate::dlq::report::audit_log::AuditLog;
use crate::dlq::report::outcome::{Ending, Report, exit, report_json};
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
/// When the arguments are wrong, or nothing could be started. Later errors are reported and determine the exit code.
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
    let DroppedEntries { chosen, missing, .. } = found;
    if chosen.is_empty() && missing.is_empty() {
        report!("no dropped dead letter matches the filters; nothing was done");
        return Ok(Exit::Done);
    }
    let asked = serde_json::json!({ "filters": args.filters, "operations": args.operations, "all": args.all });
    let audit_log = AuditLog::new(store, RESTORE.kind, &dead.prefix, asked).await;
    let total = u32::try_from(chosen.len()).unwrap_or(u32::MAX);
    let report = Report::new(RESTORE, args.json, total, None);
    let publisher = Publisher::new(&dead.broker, PATIENCE)?;
    let mut restore = Restore { dead, audit_log, publisher, report, present: Present::default() };
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

/// What is in the dead-letter queue: the number of identical copies, and of each id.
#[derive(Default)]
struct Present {
    digests: HashMap<Digest, usize>,
    ids: HashMap<String, usize>,
}

/// The plan for an entry.
enum Plan {
    /// So many are published.
    Publish(DroppedEntry, Box<Transcript>, usize),
    /// They are there.
    There(DroppedEntry),
    /// It stays dropped.
    Not(String, String),
}

/// A restore in progress.
struct Restore {
    dead: DeadLetters,
    audit_log: AuditLog,
    publisher: Publisher,
    report: Report,
    present: Present,
}

impl Restore {
    async fn run(&mut self, chosen: Vec<DroppedEntry>) -> anyhow::Result<Ending> {
        let mut dead_letters = self.dead.open().await?;
        let looked = self.look(&mut dead_letters).await;
        // Dead letters are not kept in flight for the whole time: the lock is enough.
        let lock = dead_letters.put_back_and_keep_the_lock().await?;
        let ending = match looked {
            Ok(()) => self.work(chosen).await,
            Err(error) => Ending::Stopped(format!("{error:#}")),
        };
        lock.end().await;
        Ok(ending)
    }

    async fn look(&mut self, dead_letters: &mut DeadLetterBrowser) -> anyhow::Result<()> {
        while let Some(dead_letter) = dead_letters.next().await? {
            if self.dead.stop.is_cancelled() {
                return Err(Interrupted.into());
            }
            *self.present.digests.entry(dead_letter.transcript().digest()).or_default() += 1;
            *self.present.ids.entry(dead_letter.summary.id).or_default() += 1;
        }
        Ok(())
    }

    async fn work(&mut self, chosen: Vec<DroppedEntry>) -> Ending {
        for entries in super::portions(&chosen, BATCH, BYTES) {
            if self.dead.stop.is_cancelled() {
                return Ending::Interrupted;
            }
            if let Err(reason) = self.batch(entries).await {
                return Ending::Stopped(reason);
            }
        }
        Ending::Complete
    }

    async fn batch(&mut self, entries: &[DroppedEntry]) -> Result<(), String> {
        let lines: Vec<LineId> = entries.iter().filter_map(|entry| entry.lines.first().cloned()).collect();
        let read = self.audit_log.store().dropped_dead_letters(&lines).await;
        let read = read.map_err(|failure| self.audit_log.store().with_context(failure).to_string())?;
        let mut read: HashMap<LineId, Dropped> =
            read.into_iter().map(|dead_letter| (dead_letter.line.clone(), dead_letter)).collect();
        let plans: Vec<Plan> = entries
            .iter()
            .map(|entry| self.plan(entry, entry.lines.first().and_then(|line| read.remove(line))))
            .collect();
        let begun = self.audit_log.begin().await;
        begun.map_err(|error| format!("the operation could not be recorded, so it was not done: {error}"))?;
        let envelopes = self.envelopes(&plans)?;
        let mut answers = self.publisher.publish_batch(&envelopes).await.into_iter();
        failpoint::reach(failpoint::RESTORE_CONFIRMED);
        let mut outcomes = Vec::new();
        let mut stop = None;
        for plan in plans {
            match plan {
                Plan::Not(id, reason) => self.report.report_one(&id, "failed", &reason),
                Plan::There(entry) => outcomes.push(self.there(entry)),
                Plan::Publish(entry, _, copies) => {
                    let failed = answers.by_ref().take(copies).filter_map(Result::err).last();
                    let told = failed.as_ref().map(ToString::to_string);
                    outcomes.extend(self.published(&entry, copies, told.as_deref()));
                    stop = stop.or(told.filter(|_| !failed.is_some_and(|error| error.is_the_messages_own())));
                }
            }
        }
        self.close_books(&outcomes).await?;
        stop.map_or(Ok(()), Err)
    }

    fn plan(&self, entry: &DroppedEntry, dead_letter: Option<Dropped>) -> Plan {
        let not = |reason: &str| Plan::Not(entry.summary.id.clone(), reason.to_owned());
        let Some(dead_letter) = dead_letter else { return not("another command has just restored it") };
        let there = self.present.digests.get(&entry.digest).copied().unwrap_or(0);
        match (super::transcript(&dead_letter), entry.copies().saturating_sub(there)) {
            (Err(problem), _) => not(&problem),
            (Ok(_), 0) => Plan::There(entry.clone()),
            (Ok(transcript), copies) => Plan::Publish(entry.clone(), Box::new(transcript), copies),
        }
    }

    fn envelopes(&self, plans: &[Plan]) -> Result<Vec<Envelope>, String> {
        let mut envelopes = Vec::new();
        for plan in plans {
            if let Plan::Publish(_, transcript, copies) = plan {
                let envelope = transcript.dead_letter(&self.dead.topology).map_err(|error| error.to_string())?;
                envelopes.extend(std::iter::repeat_n(envelope, *copies));
            }
        }
        Ok(envelopes)
    }

    fn there(&mut self, entry: DroppedEntry) -> OperationItem {
        let item = self.audit_log.about(&entry.summary, "present", THERE.to_owned());
        OperationItem { undoes: entry.lines, ..item }
    }

    /// One line for each dead letter; the first undoes all lines of the entry. If the broker did not accept all of
    /// them, none is marked as undone: the next restore finds the accepted ones in the queue.
    fn published(&mut self, entry: &DroppedEntry, copies: usize, failed: Option<&str>) -> Vec<OperationItem> {
        let dead_letter = &entry.summary;
        match failed {
            Some(error) => {
                vec![self.audit_log.about(dead_letter, "failed", format!("{error}; it stays in the archive"))]
            }
            None => (0..copies)
                .map(|copy| {
                    let undoes = if copy == 0 { entry.lines.clone() } else { Vec::new() };
                    OperationItem { undoes, ..self.audit_log.about(dead_letter, RESTORE.past, String::new()) }
                })
                .collect(),
        }
    }

    async fn close_books(&mut self, outcomes: &[OperationItem]) -> Result<(), String> {
        let recorded = self.audit_log.record(outcomes).await;
        let (there, done): (Vec<_>, Vec<_>) =
            outcomes.iter().cloned().partition(|outcome| outcome.outcome == "present");
        there.iter().for_each(|outcome| self.report.report_one(&outcome.dead_letter, "present", &outcome.detail));
        self.report.report(&done);
        recorded.map_err(|error| {
            format!(
                "{} dead letters were restored, but the audit log does not say so; run the command again to record it: \
                 {error}",
                done.len()
            )
        })
    }
}

/// For a dead letter whose drop or restore was interrupted.
const THERE: &str = "it is in the dead-letter queue: a drop or a restore was interrupted";
