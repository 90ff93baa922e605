//! `sluice dlq export`: writes dead letters in full, one JSON object per line, for `sluice dlq import`.

use std::ops::ControlFlow;

use clap::Args;
use serde::Serialize;
use sluice_core::config::BrokerArgs;
use sluice_rabbit::dead_letters::{DeadLetter, DeadLetterSummary, Transcript};
use sluice_runtime::exit::Exit;

use super::list::tell_unknown;
use crate::browse::DeadLetters;
use crate::dlq::select::{Filters, Selection};
use crate::spool::Spool;
use sluice_runtime::output::report;

/// Arguments of `sluice dlq export`.
#[derive(Debug, Args)]
pub(in crate::dlq) struct ExportArgs {
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    filters: Filters,
}

/// One line: what `list --json` says of a dead letter, and the dead letter itself.
#[derive(Serialize)]
struct ExportedLine {
    #[serde(flatten)]
    summary: DeadLetterSummary,
    dead_letter: Transcript,
}

fn line(dead_letter: DeadLetter) -> ExportedLine {
    let transcript = dead_letter.transcript();
    ExportedLine { summary: dead_letter.summary, dead_letter: transcript }
}

/// Writes them to stdout.
///
/// # Errors
/// When they cannot be browsed, or not all of them can be written.
pub(in crate::dlq) async fn run(args: ExportArgs) -> anyhow::Result<Exit> {
    args.filters.check()?;
    let dead = DeadLetters::new(&args.broker, "dlq export")?;
    let mut selection = Selection::new(args.filters);
    let mut lines = Spool::<()>::new()?;
    let write = |dead_letter: DeadLetter| {
        let taken = selection.takes(&dead_letter.summary, dead_letter.body());
        let written = !taken || lines.add(&line(dead_letter));
        if !written || selection.is_complete() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let total = dead.look(write).await?;
    let exported = lines.count;
    // Each line is already escaped.
    lines.print_raw()?;
    report!("{exported} of {total} dead letters in {}", dead.topology.dead_letter_queue());
    Ok(tell_unknown(&selection.unknown()))
}
