//! `sluice dlq import`: puts exported letters back among the dead ones, as they were.
//!
//! A letter that is there already is left out, so that an import that was cut short is simply run again.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use common::config::{BrokerArgs, DatabaseArgs};
use common::delivery::Transcript;
use common::exit::Exit;
use common::publisher::{Envelope, Publisher};
use common::store::Store;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::batch::LETTERS;
use super::ledger::Ledger;
use super::look::{DeadLetters, Interrupted};
use super::outcome::{Ending, Report};
use super::replay::PATIENCE;
use super::wording::IMPORT;

/// From where.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// What `sluice dlq export` wrote; `-` is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Also those that are among the dead letters already
    #[arg(long)]
    again: bool,
    /// One JSON object a line on stdout for each letter, when its fate is known: {"id", "outcome", "detail"}. The
    /// outcome is imported, present (it is there already) or failed
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// One line of the file. What else an export says of a letter is only for people.
#[derive(Deserialize)]
struct Line {
    id: String,
    letter: Transcript,
}

/// The lines of a file, as they are read.
type Lines = mpsc::Receiver<std::io::Result<String>>;

/// A letter on its way back.
struct Returning {
    id: String,
    envelope: Envelope,
}

/// Puts them back.
///
/// # Errors
/// When nothing could be begun. What happens later is told and shows in the exit code.
pub(super) async fn run(args: ImportArgs) -> anyhow::Result<Exit> {
    let dead = DeadLetters::new(&args.broker, IMPORT.command)?;
    let lines = opened(&args.file, &dead).await?;
    let store = Store::new(&args.database)?;
    store
        .check_schema()
        .await
        .map_err(|error| anyhow::Error::new(error).context("nothing was done, because it could not be recorded"))?;
    let present = if args.again { HashSet::new() } else { digests(&dead).await? };
    let asked = serde_json::json!({ "file": args.file, "again": args.again });
    let ledger = Ledger::new(store, IMPORT.kind, args.broker.prefix.as_str(), asked).await;
    let publisher = Publisher::new(&dead.broker, PATIENCE)?;
    let mut import = Import { dead, present, ledger, publisher, report: Report::new(IMPORT, args.json, 0, None) };
    let ending = import.work(lines).await;
    let exit = import.report.finish(&ending, import.ledger.act_id());
    import.ledger.close().await;
    Ok(exit)
}

/// The lines of a file, read where nothing else has to wait for them: a terminal or a pipe may take its time, and
/// Ctrl-C must end it all the same.
async fn opened(file: &Path, dead: &DeadLetters) -> anyhow::Result<Lines> {
    let file = file.to_owned();
    let opened = tokio::select! {
        opened = tokio::task::spawn_blocking(move || open(&file)) => opened??,
        () = dead.stop.cancelled() => return Err(Interrupted.into()),
    };
    let (sender, lines) = mpsc::channel(LETTERS);
    tokio::task::spawn_blocking(move || {
        // Until the file ends, or nobody wants more of it.
        let _ = opened.lines().try_for_each(|line| sender.blocking_send(line));
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

/// Of every letter that is there.
async fn digests(dead: &DeadLetters) -> anyhow::Result<HashSet<[u8; 32]>> {
    let mut present = HashSet::new();
    dead.look(|letter| {
        present.insert(letter.transcript().digest());
        ControlFlow::Continue(())
    })
    .await?;
    Ok(present)
}

/// An import under way.
struct Import {
    dead: DeadLetters,
    present: HashSet<[u8; 32]>,
    ledger: Ledger,
    publisher: Publisher,
    report: Report,
}

impl Import {
    async fn work(&mut self, mut lines: Lines) -> Ending {
        let mut batch = Vec::with_capacity(LETTERS);
        for number in 1.. {
            let line = tokio::select! {
                biased;
                () = self.dead.stop.cancelled() => return Ending::Interrupted,
                line = lines.recv() => line,
            };
            let Some(line) = line else { break };
            let line = match line {
                Ok(line) => line,
                Err(error) => return Ending::Stopped(format!("the file could not be read to its end: {error}")),
            };
            batch.extend(self.read(number, &line));
            if batch.len() == LETTERS
                && let Err(reason) = self.publish(std::mem::take(&mut batch)).await
            {
                return Ending::Stopped(reason);
            }
        }
        match self.publish(batch).await {
            Ok(()) => Ending::Complete,
            Err(reason) => Ending::Stopped(reason),
        }
    }

    /// A line that is no letter costs that line only.
    fn read(&mut self, number: usize, line: &str) -> Option<Returning> {
        if line.trim().is_empty() {
            return None;
        }
        let read = serde_json::from_str::<Line>(line).map_err(|error| common::json::told(&error)).and_then(|line| {
            let envelope = line.letter.letter(&self.dead.topology).map_err(|error| error.to_string())?;
            Ok((line.id, line.letter.digest(), envelope))
        });
        match read {
            Err(problem) => {
                self.report.tell_one(&format!("line {number}"), "failed", &problem);
                None
            }
            Ok((id, digest, _)) if self.present.contains(&digest) => {
                self.report.tell_one(&id, "present", "it is among the dead letters already");
                None
            }
            Ok((id, _, envelope)) => Some(Returning { id, envelope }),
        }
    }

    async fn publish(&mut self, batch: Vec<Returning>) -> Result<(), String> {
        if batch.is_empty() {
            return Ok(());
        }
        let refused = |error| format!("the act could not be recorded, so it was not done: {error}");
        self.ledger.begin().await.map_err(refused)?;
        let (ids, envelopes): (Vec<String>, Vec<Envelope>) =
            batch.into_iter().map(|Returning { id, envelope }| (id, envelope)).unzip();
        let answers = self.publisher.publish_batch(&envelopes).await;
        let mut stop = None;
        let mut outcomes = Vec::with_capacity(ids.len());
        for (id, answer) in ids.into_iter().zip(answers) {
            let (outcome, detail) = match answer {
                Ok(()) => (IMPORT.past, String::new()),
                Err(error) => ("failed", error.to_string()),
            };
            if outcome == "failed" {
                stop.get_or_insert_with(|| detail.clone());
            }
            outcomes.push(self.ledger.entry(id, outcome, detail));
        }
        if let Err(error) = self.ledger.record(&outcomes).await {
            stop = Some(format!("the record of {} imported letters could not be written: {error}", outcomes.len()));
        }
        self.report.tell(&outcomes);
        stop.map_or(Ok(()), Err)
    }
}
