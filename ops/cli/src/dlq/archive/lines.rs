//! The lines of a file that may be large, or a terminal.

use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

use anyhow::Context as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::browse::Interrupted;

/// The longest line, in bytes. RabbitMQ takes messages of 128 MiB at most, unless it is told otherwise.
pub(in crate::dlq) const LINE_MAX_BYTES: u64 = 256 * 1024 * 1024;

/// The lines of a file, each with whether it is whole; one that is too long is not, and is empty.
pub(in crate::dlq) type LineReader = mpsc::Receiver<std::io::Result<(Vec<u8>, bool)>>;

/// Opens a file and reads its lines on another thread: a terminal or a pipe may be slow, and Ctrl-C must end that, too.
pub(in crate::dlq) async fn open(file: &Path, stop: &CancellationToken) -> anyhow::Result<LineReader> {
    let file = file.to_owned();
    let opened = tokio::select! {
        opened = tokio::task::spawn_blocking(move || open_file(&file)) => opened??,
        () = stop.cancelled() => return Err(Interrupted.into()),
    };
    // Only one, because a line may be large.
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

fn open_file(file: &Path) -> anyhow::Result<Box<dyn BufRead + Send>> {
    if file == Path::new("-") {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let opened = std::fs::File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Box::new(BufReader::new(opened)))
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
