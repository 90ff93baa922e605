//! `sluice dlq export`: dead letters written out in full, one JSON object a line, for `sluice dlq import` to put back.
//!
//! While letters are in hand nobody else sees them, and whoever reads our output may be slow. So it goes to a file
//! without a name first, and out only when all letters are back.

use std::io::{BufWriter, Seek as _};
use std::ops::ControlFlow;

use anyhow::Context as _;
use clap::Args;
use common::config::BrokerArgs;
use common::delivery::{Letter, LetterSummary, Transcript};
use common::exit::Exit;
use serde::Serialize;

use super::list::tell_unknown;
use super::look::DeadLetters;
use super::select::{Filters, Selection};
use crate::output::{self, tell};

/// Which letters.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    filters: Filters,
}

/// One line: what `list --json` says of a letter, and the letter itself.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    summary: &'a LetterSummary,
    letter: Transcript,
}

/// Writes them to stdout.
///
/// # Errors
/// When they cannot be looked at, or not all of them be written.
pub(super) async fn run(args: ExportArgs) -> anyhow::Result<Exit> {
    args.filters.check()?;
    let dead = DeadLetters::new(&args.broker, "dlq export")?;
    let mut selection = Selection::new(args.filters);
    let folder = std::env::temp_dir();
    let aside = || format!("letters are written to a file in {} first; TMPDIR names another place", folder.display());
    let mut file = BufWriter::new(tempfile::tempfile().with_context(aside)?);
    let mut exported = 0;
    let mut written = Ok(());
    let write = |letter: Letter| {
        if selection.takes(&letter.summary, letter.body()) {
            written = output::json_line(&mut file, &Line { summary: &letter.summary, letter: letter.transcript() });
            exported += 1;
        }
        if written.is_err() || selection.is_complete() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let total = dead.look(write).await?;
    written.with_context(aside)?;
    let mut file = file.into_inner().map_err(std::io::IntoInnerError::into_error).with_context(aside)?;
    file.rewind().with_context(aside)?;
    // Each line of it is harmless already.
    output::raw(|out| std::io::copy(&mut file, out).map(drop))?;
    tell!("{exported} of {total} dead letters in {}", dead.topology.dead_letter_queue());
    Ok(tell_unknown(&selection.unknown()))
}
