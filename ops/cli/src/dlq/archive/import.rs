//! `sluice dlq import`: puts exported dead letters back into the dead-letter queue, as they were.
//!
//! A dead letter that is there already is left out, so that an import that was cut short can be run again.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use sluice_core::config::ServerArgs;
use sluice_mysql::Store;
use sluice_rabbit::dead_letters::{Digest, Transcript};
use sluice_rabbit::publisher::{Envelope, PublishError, Publisher};
use sluice_runtime::exit::Exit;

use super::lines::{self, LINE_MAX_BYTES, LineReader};
use crate::browse::DeadLetters;
use crate::dlq::operation::batch::BYTES;
use crate::dlq::operation::rate_limit::BATCH;
use crate::dlq::operation::replay::PATIENCE;
use crate::dlq::report::audience::Audience;
use crate::dlq::report::audit_log::AuditLog;
use crate::dlq::report::outcome::{Ending, NOT_KNOWN};
use crate::dlq::report::reporter::Reporter;
use crate::dlq::report::wording::IMPORT;

/// Arguments of `sluice dlq import`.
#[derive(Debug, Args)]
pub(in crate::dlq) struct ImportArgs {
    /// File written by `sluice dlq export`; `-` reads stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Import dead letters even if they are in the dead-letter queue already
    #[arg(long)]
    again: bool,
    /// Print one JSON object per dead letter to stdout: {"id", "outcome", "detail"}
    ///
    /// Objects are printed one per line, each when its outcome is known. The outcome is imported, present (it is in the
    /// dead-letter queue already), failed (the detail names the line), or unknown (RabbitMQ did not say whether it has
    /// the message; running the same command again skips what is there).
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    servers: ServerArgs,
}

/// One line of the file. Its other keys are only for people.
#[derive(Deserialize)]
struct ImportedLine {
    id: String,
    dead_letter: Transcript,
}

struct Returning {
    line: usize,
    id: String,
    digest: Digest,
    envelope: Envelope,
}

/// How many identical dead letters there are of each.
type PresentCounts = HashMap<Digest, u32>;

/// Imports them.
///
/// # Errors
/// When nothing could be begun. Later errors are printed and show in the exit code.
pub(in crate::dlq) async fn run(args: ImportArgs) -> anyhow::Result<Exit> {
    let dead = DeadLetters::new(&args.servers.broker, IMPORT.command)?;
    let lines = lines::open(&args.file, &dead.stop).await?;
    let store = Store::new(&args.servers.database)?;
    store
        .check_schema()
        .await
        .map_err(|error| anyhow::Error::new(error).context("nothing was done, because it could not be recorded"))?;
    let present = present(&dead).await?;
    let asked = serde_json::json!({ "file": args.file, "again": args.again });
    let audit_log = AuditLog::new(store, IMPORT.kind, args.servers.broker.prefix.as_str(), asked).await;
    let publisher = Publisher::new(&dead.broker, &dead.topology, PATIENCE)?;
    let report = Reporter::new(IMPORT, Audience::Terminal { json: args.json }, 0, None);
    let mut import = Import { dead, present, again: args.again, audit_log, publisher, report };
    let ending = import.work(lines).await;
    let exit = import.report.finish(&ending, import.audit_log.operation_id());
    import.audit_log.close().await;
    Ok(exit)
}

async fn present(dead: &DeadLetters) -> anyhow::Result<PresentCounts> {
    let mut present = PresentCounts::new();
    dead.look(|dead_letter| {
        *present.entry(dead_letter.transcript().digest()).or_insert(0) += 1;
        ControlFlow::Continue(())
    })
    .await?;
    Ok(present)
}

struct Import {
    dead: DeadLetters,
    /// What is in the dead-letter queue, as far as is known.
    present: PresentCounts,
    /// Whether those that are there already are published, too.
    again: bool,
    audit_log: AuditLog,
    publisher: Publisher,
    report: Reporter,
}

impl Import {
    async fn work(&mut self, mut lines: LineReader) -> Ending {
        let before = self.present.clone();
        let (mut batch, mut bytes) = (Vec::with_capacity(BATCH), 0);
        for number in 1.. {
            let line = tokio::select! {
                biased;
                () = self.dead.stop.cancelled() => return Ending::Interrupted,
                line = lines.recv() => line,
            };
            let line = match line {
                Some(Ok((line, true))) => line,
                Some(Ok((_, false))) => {
                    let problem = format!("it is longer than {LINE_MAX_BYTES} bytes, the maximum for a line");
                    self.report.report_one(&format!("line {number}"), "failed", &problem);
                    continue;
                }
                None => break,
                Some(Err(error)) => return Ending::Stopped(format!("the file could not be read to its end: {error}")),
            };
            bytes += line.len();
            batch.extend(self.read(number, &line, &before));
            if (batch.len() == BATCH || bytes >= BYTES)
                && let Err(reason) = self.publish(std::mem::take(&mut batch)).await
            {
                return Ending::Stopped(reason);
            }
            bytes = if batch.is_empty() { 0 } else { bytes };
        }
        match self.publish(batch).await {
            Ok(()) => Ending::Complete,
            Err(reason) => Ending::Stopped(reason),
        }
    }

    /// An error in a line concerns that line only.
    fn read(&mut self, line: usize, json: &[u8], before: &PresentCounts) -> Option<Returning> {
        if json.trim_ascii().is_empty() {
            return None;
        }
        let read = serde_json::from_slice::<ImportedLine>(json)
            .map_err(|error| sluice_core::json::told(&error))
            .and_then(|line| {
                let envelope = line.dead_letter.dead_letter(&self.dead.topology).map_err(|error| error.to_string())?;
                Ok((line.id, line.dead_letter.digest(), envelope))
            });
        match read {
            Err(problem) => {
                self.report.report_one(&format!("line {line}"), "failed", &problem);
                None
            }
            Ok((id, digest, _)) if !self.again && before.contains_key(&digest) => {
                self.report.report_one(&id, "present", "it is already in the dead-letter queue");
                None
            }
            Ok((id, digest, envelope)) => Some(Returning { line, id, digest, envelope }),
        }
    }

    async fn publish(&mut self, batch: Vec<Returning>) -> Result<(), String> {
        if batch.is_empty() {
            return Ok(());
        }
        let refused = |error| format!("the operation could not be recorded, so it was not done: {error}");
        self.audit_log.begin().await.map_err(refused)?;
        let mut dead_letters = Vec::with_capacity(batch.len());
        let mut envelopes = Vec::with_capacity(batch.len());
        for Returning { line, id, digest, envelope } in batch {
            dead_letters.push((line, id, digest));
            envelopes.push(envelope);
        }
        let answers = self.publisher.publish_batch(&envelopes).await;
        drop(envelopes);
        let unknown = answers.iter().any(|answer| answer.as_ref().is_err_and(PublishError::is_unknown));
        // A dead letter whose confirm did not come may be in the queue all the same.
        let seen = if unknown { present(&self.dead).await.ok() } else { None };
        let mut stop = None;
        let mut outcomes = Vec::with_capacity(dead_letters.len());
        for ((line, id, digest), answer) in dead_letters.into_iter().zip(answers) {
            let there = self.present.entry(digest).or_insert(0);
            let came = seen.as_ref().is_some_and(|seen| seen.get(&digest).copied().unwrap_or(0) > *there);
            let (outcome, detail) = match answer {
                Ok(()) => (IMPORT.past, String::new()),
                Err(error) => {
                    let detail = format!("line {line}: {error}");
                    if !error.is_the_messages_own() {
                        stop.get_or_insert_with(|| error.to_string());
                    }
                    match error.is_unknown() {
                        true if came => (IMPORT.past, String::new()),
                        true => (NOT_KNOWN, detail),
                        false => ("failed", detail),
                    }
                }
            };
            *there += u32::from(outcome == IMPORT.past);
            outcomes.push(self.audit_log.entry(id, outcome, detail));
        }
        if let Err(error) = self.audit_log.record(&outcomes).await {
            stop =
                Some(format!("the record of {} imported dead letters could not be written: {error}", outcomes.len()));
        }
        self.report.report(&outcomes);
        stop.map_or(Ok(()), Err)
    }
}
