//! `sluice dlq export`: dead letters written out in full, one JSON object a line, for `sluice dlq import` to put back.

use std::ops::ControlFlow;

use clap::Args;
use serde::Serialize;
use sluice_core::config::BrokerArgs;
use sluice_rabbit::delivery::{DeadLetter, DeadLetterSummary, Transcript};
use sluice_runtime::exit::Exit;

use super::list::tell_unknown;
use super::select::{Filters, Selection};
use crate::browse::DeadLetters;
use crate::spool::Spool;
use sluice_runtime::output::tell;

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
struct Line {
    #[serde(flatten)]
    summary: DeadLetterSummary,
    letter: Transcript,
}

fn line(letter: DeadLetter) -> Line {
    let transcript = letter.transcript();
    Line { summary: letter.summary, letter: transcript }
}

/// Writes them to stdout.
///
/// # Errors
/// When they cannot be looked at, or not all of them be written.
pub(super) async fn run(args: ExportArgs) -> anyhow::Result<Exit> {
    args.filters.check()?;
    let dead = DeadLetters::new(&args.broker, "dlq export")?;
    let mut selection = Selection::new(args.filters);
    let mut lines = Spool::<()>::new()?;
    let write = |letter: DeadLetter| {
        let taken = selection.takes(&letter.summary, letter.body());
        let written = !taken || lines.add(&line(letter));
        if !written || selection.is_complete() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let total = dead.look(write).await?;
    let exported = lines.count;
    // Each line of it is harmless already.
    lines.print_raw()?;
    tell!("{exported} of {total} dead letters in {}", dead.topology.dead_letter_queue());
    Ok(tell_unknown(&selection.unknown()))
}
