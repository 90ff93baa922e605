//! A restore under way: the lock, what is in the queue already, and then batch after batch.

use std::collections::HashMap;

use sluice_mysql::{Dropped, LineId, OperationItem};
use sluice_rabbit::dead_letters::{DeadLetterBrowser, Digest, Transcript};
use sluice_rabbit::publisher::{Envelope, Publisher};
use sluice_runtime::failpoint;

use super::{DroppedEntry, portions, transcript};
use crate::browse::{DeadLetters, Interrupted};
use crate::dlq::operation::batch::BYTES;
use crate::dlq::operation::rate_limit::BATCH;
use crate::dlq::report::audit_log::AuditLog;
use crate::dlq::report::outcome::Ending;
use crate::dlq::report::reporter::Reporter;
use crate::dlq::report::wording::RESTORE;

/// How many dead letters are in the queue, by content and by id.
#[derive(Default)]
struct Present {
    digests: HashMap<Digest, usize>,
    ids: HashMap<String, usize>,
}

/// What is done with an entry.
enum Plan {
    /// So many are published.
    Publish(DroppedEntry, Box<Transcript>, usize),
    /// Nothing: they are in the queue.
    There(DroppedEntry),
    /// It stays dropped.
    Not(String, String),
}

pub(in crate::dlq) struct Restoring {
    dead: DeadLetters,
    pub(in crate::dlq) audit_log: AuditLog,
    publisher: Publisher,
    pub(in crate::dlq) report: Reporter,
    present: Present,
}

impl Restoring {
    pub(in crate::dlq) fn new(dead: DeadLetters, audit_log: AuditLog, publisher: Publisher, report: Reporter) -> Self {
        Self { dead, audit_log, publisher, report, present: Present::default() }
    }

    pub(in crate::dlq) async fn run(&mut self, chosen: Vec<DroppedEntry>) -> anyhow::Result<Ending> {
        let mut dead_letters = self.dead.open().await?;
        let counted = self.count(&mut dead_letters).await;
        // The lock is enough for the rest, which may take longer than dead letters may be in flight.
        let lock = dead_letters.put_back_and_keep_the_lock().await?;
        let ending = match counted {
            Ok(()) => self.work(chosen).await,
            Err(error) => Ending::Stopped(format!("{error:#}")),
        };
        lock.end().await;
        Ok(ending)
    }

    async fn count(&mut self, dead_letters: &mut DeadLetterBrowser) -> anyhow::Result<()> {
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
        for entries in portions(&chosen, BATCH, BYTES) {
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
                    let error = failed.as_ref().map(ToString::to_string);
                    outcomes.extend(self.published(&entry, copies, error.as_deref()));
                    stop = stop.or(error.filter(|_| !failed.is_some_and(|error| error.is_the_messages_own())));
                }
            }
        }
        self.record(&outcomes).await?;
        entries.iter().for_each(|_| self.report.passed());
        stop.map_or(Ok(()), Err)
    }

    fn plan(&self, entry: &DroppedEntry, dead_letter: Option<Dropped>) -> Plan {
        let not = |reason: &str| Plan::Not(entry.summary.id.clone(), reason.to_owned());
        let Some(dead_letter) = dead_letter else { return not("another command has just restored it") };
        let there = self.present.digests.get(&entry.digest).copied().unwrap_or(0);
        match (transcript(&dead_letter), entry.copies().saturating_sub(there)) {
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

    async fn record(&mut self, outcomes: &[OperationItem]) -> Result<(), String> {
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

/// The detail for a dead letter whose drop or restore was interrupted.
const THERE: &str = "it is in the dead-letter queue: a drop or a restore was interrupted";
