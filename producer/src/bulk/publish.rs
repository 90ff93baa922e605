//! Posts from a file or from stdin, one JSON object a line, in the same form as over HTTP.

use std::io;

use futures_util::{Stream, StreamExt as _};
use sluice_runtime::exit::Exit;
use tokio::io::AsyncRead;
use tokio_util::codec::FramedRead;
use tokio_util::sync::CancellationToken;

use crate::bulk::entry::Entry;
use crate::bulk::file::{Input, READ_AT_ONCE};
use crate::bulk::outcome::{End, PublishOutcome};
use crate::bulk::pipeline::Pipeline;
use crate::bulk::progress::{self, Progress};
use crate::cli::Publish;
use crate::key::Key;
use crate::lines::{LINE_MAX, Line, Lines};
use crate::submit;

/// Publishes the file until its end or until `stop`.
///
/// # Errors
/// When the file or the receipts cannot be opened, the queues cannot be declared, or posts could not be published; the
/// last says from which line to go on.
pub async fn run(args: &Publish, stop: CancellationToken) -> anyhow::Result<Exit> {
    // A pipe may not have any data yet.
    let Some(input) = stop.run_until_cancelled(Input::open(&args.file)).await else {
        anyhow::bail!("stopped before the first line of {}", args.file.display());
    };
    let Input { bytes, length, source } = input?;
    let progress = Progress::of_bytes(length, args.rate);
    let ready = Pipeline::open(&args.broker, &args.run, args.rate, progress, source.clone());
    let Some(pipeline) = stop.run_until_cancelled(ready).await.transpose()? else {
        anyhow::bail!("stopped before the first line of {source}");
    };
    let key = args.key.clone();
    let entries = lines(bytes).map(move |line| line.map(|line| entry(line, key.as_ref())));
    conclude(pipeline.run(entries, &stop).await, &source)
}

fn lines(input: impl AsyncRead + Unpin) -> impl Stream<Item = io::Result<Line>> + Unpin {
    FramedRead::with_capacity(input, Lines::new(LINE_MAX), READ_AT_ONCE)
}

/// A post without an id gets one here and keeps it, however often it has to be sent.
fn entry(Line { number, end, text }: Line, key: Option<&Key>) -> Entry {
    let key = key.map(|key| key.of_line(number));
    let post = text
        .map_err(|long| long.to_string())
        .and_then(|text| submit::read(&text, Ok(key), submit::now()).map_err(|refusal| refusal.to_string()));
    Entry { line: number, mark: end, post }
}

fn conclude(outcome: PublishOutcome, source: &str) -> anyhow::Result<Exit> {
    progress::last_word(&outcome);
    let going_on = outcome.going_on(source);
    match outcome.end {
        End::Failed(error) => anyhow::bail!("{error:#}; {going_on}"),
        End::Stopped => {
            progress::last_word(&format_args!("stopped: {going_on}"));
            Ok(Exit::Failed)
        }
        End::Complete if outcome.bad > 0 => Ok(Exit::Partial),
        End::Complete => Ok(Exit::Done),
    }
}
