//! `sluice dlq import`: puts exported dead letters back among the dead ones, as they were.
//!
//! A dead letter that is there already is left out, so that an import that was cut short is simply run again.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;
use sluice_core::config::ServerArgs;
use sluice_mysql::Store;
use sluice_rabbit::dead_letters::{Digest, Transcript};
use sluice_rabbit::publisher::{Envelope, PublishError, Publisher};
use sluice_runtime::exit::Exit;
use tokio::sync::mpsc;

use crate::browse::{DeadLetters, Interrupted};
use crate::dlq::operation::batch::BYTES;
use crate::dlq::operation::rate_limit::BATCH;
use crate::dlq::operation::replay::PATIENCE;
use crate::dlq::report::audit_log::AuditLog;
use crate::dlq::report::outcome::{Ending, NOT_KNOWN, Report};
use crate::dlq::report::wording::IMPORT;

/// The longest line, in bytes. RabbitMQ takes messages of 128 MiB at most, unless it is told otherwise.
const LINE_MAX_BYTES: u64 = 256 * 1024 * 1024;

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

/// One line of the file. Other keys of an export are only for people.
#[derive(Deserialize)]
struct ImportedLine {
    id: String,
    dead_letter: Transcript,
}

/// The lines of a file, and for each whether it is complete; a line that is too long is not, and is empty.
type LineReader = mpsc::Receiver<std::io::Result<(Vec<u8>, bool)>>;

/// A dead letter to be published.
struct Returning {
    /// Its line in the file.
    line: usize,
    id: String,
    digest: Digest,
    envelope: Envelope,
}

/// The number of copies of each identical dead letter.
type PresentCounts = HashMap<Digest, u32>;

/// Imports them.
///
/// # Errors
/// When nothing could be started. Later errors are reported and determine the exit code.
pub(in crate::dlq) async fn run(args: ImportArgs) -> anyhow::Result<Exit> {
    let dead = DeadLetters::new(&args.servers.broker, IMPORT.command)?;
    let lines = opened(&args.file, &dead).await?;
    let store = Store::new(&args.servers.database)?;
    store
        .check_schema()
        .await
        .map_err(|error| anyhow::Error::new(error).context("nothing was done, because it could not be recorded"))?;
    let present = present(&dead).await?;
    let asked = serde_json::json!({ "file": args.file, "again": args.again });
    let audit_log = AuditLog::new(store, IMPORT.kind, args.servers.broker.prefix.as_str(), asked).await;
    let publisher = Publisher::new(&dead.broker, PATIENCE)?;
    let report = Report::new(IMPORT, args.json, 0, None);
    let mut import = Import { dead, present, again: args.again, audit_log, publisher, report };
    let ending = import.work(lines).await;
    let exit = import.report.finish(&ending, import.audit_log.operation_id());
    import.audit_log.close().await;
    Ok(exit)
}

/// The lines of a file, read on a separate thread: a terminal or a pipe may be slow, and Ctrl-C must work anyway.
async fn opened(file: &Path, dead: &DeadLetters) -> anyhow::Result<LineReader> {
    let file = file.to_owned();
    let opened = tokio::select! {
        opened = tokio::task::spawn_blocking(move || open(&file)) => opened??,
        () = dead.stop.cancelled() => return Err(Interrupted.into()),
    };
    // One, because a line may be large.
    let (sender, lines) = mpsc::channel(1);
    tokio::task::spawn_blocking(move || {
        let mut opened = opened;
        // Until the file ends, or the receiver is dropped.
        while let Some(line) = next_line(&mut *opened).transpose() {
            let broken = line.is_err();
            if sender.blocking_send(line).is_err() || broken {
                break;
            }
        }
    });
    Ok(lines)
}

fn open(file: &Path) -> anyhow::Result<Box<dyn BufRead + Send>> {
    if file == Path::new("-") {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let opened = std::fs::File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Box::new(BufReader::new(opened)))
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

/// Reads the next line; `None` at the end of the file. A line that is too long is skipped, and is empty then.
fn next_line(lines: &mut dyn BufRead) -> std::io::Result<Option<(Vec<u8>, bool)>> {
    let mut line = Vec::new();
    if lines.take(LINE_MAX_BYTES).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.ends_with(b"\n") || (line.len() as u64) < LINE_MAX_BYTES {
        return Ok(Some((line, true)));
    }
    loop {
        let rest = lines.fill_buf()?;
        let end = rest.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let skip = end.unwrap_or(rest.len());
        lines.consume(skip);
        if end.is_some() || skip == 0 {
            return Ok(Some((Vec::new(), false)));
        }
    }
}

/// An import in progress.
struct Import {
    dead: DeadLetters,
    /// What is in the dead-letter queue, as far as is known.
    present: PresentCounts,
    /// Whether to import those that are already in the queue.
    again: bool,
    audit_log: AuditLog,
    publisher: Publisher,
    report: Report,
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

    /// An invalid line affects only that line.
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
        // A message without a confirm may be in the queue anyway: browsing shows it.
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
