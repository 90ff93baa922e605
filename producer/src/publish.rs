//! Posts from a file or from stdin, one JSON object a line, in the same form as over HTTP.

use std::io;
use std::path::Path;

use anyhow::Context as _;
use common::exit::Exit;
use futures_util::{Stream, StreamExt as _};
use tokio::fs::File;
use tokio::io::AsyncRead;
use tokio_util::codec::FramedRead;
use tokio_util::sync::CancellationToken;

use crate::account::{End, Outcome};
use crate::cli::Publish;
use crate::lines::{LINE_MAX, Line, Lines};
use crate::pipeline::{Entry, Pipeline};
use crate::progress::Progress;
use crate::submit::{self, Key};

/// How much is read at once, in bytes.
const READ_AT_ONCE: usize = 256 * 1024;

/// Publishes the file until its end or until `stop`.
///
/// # Errors
/// When the file or the receipts cannot be opened, the queues cannot be declared, or posts could not be published; the
/// last says from which line to go on.
pub async fn run(args: &Publish, stop: CancellationToken) -> anyhow::Result<Exit> {
    let (input, length, source) = open(&args.file).await?;
    let progress = Progress::of_bytes(length, args.rate);
    let ready = Pipeline::open(&args.broker, &args.run, args.rate, progress, source.clone());
    let Some(pipeline) = stop.run_until_cancelled(ready).await.transpose()? else {
        anyhow::bail!("stopped before the first line of {source}");
    };
    let key = args.key.clone();
    let entries = lines(input).map(move |line| line.map(|line| entry(line, key.as_ref())));
    conclude(pipeline.run(entries, &stop).await, &source)
}

/// The input, its length where it has one, and what it is called.
async fn open(file: &Path) -> anyhow::Result<(Box<dyn AsyncRead + Send + Unpin>, Option<u64>, String)> {
    if file == Path::new("-") {
        return Ok((Box::new(tokio::io::stdin()), None, "stdin".to_owned()));
    }
    let source = file.display().to_string();
    let input = File::open(file).await.with_context(|| format!("cannot read {source}"))?;
    let about = input.metadata().await.with_context(|| format!("cannot read {source}"))?;
    anyhow::ensure!(!about.is_dir(), "cannot read {source}: it is a folder");
    let length = about.is_file().then_some(about.len());
    Ok((Box::new(input), length, source))
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

fn conclude(outcome: Outcome, source: &str) -> anyhow::Result<Exit> {
    eprintln!("{outcome}");
    let going_on = outcome.going_on(source);
    match outcome.end {
        End::Failed(error) => anyhow::bail!("{error:#}; {going_on}"),
        End::Stopped => {
            eprintln!("stopped: {going_on}");
            Ok(Exit::Failed)
        }
        End::Complete if outcome.bad > 0 => Ok(Exit::Partial),
        End::Complete => Ok(Exit::Done),
    }
}
